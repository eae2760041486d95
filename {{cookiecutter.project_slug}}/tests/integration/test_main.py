"""Posts, timelines, profiles."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from html import unescape
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func, null, select

from app.extensions import db
from app.models import Post, User, followers
from tests.conftest import Blog

PUBLIC_PAGES = [
    "/",
    "/index",
    "/explore",
    "/post/1",
    "/user/susan",
    "/user/susan/followers",
    "/user/susan/following",
]
PRIVATE_PAGES = ["/edit_profile", "/post/1/delete"]
ACTIONS = ["/follow/susan", "/unfollow/susan"]


@pytest.fixture
def david(blog: Blog) -> int:
    """Return the id of another user."""
    return blog.user("david")


def bodies(page: str) -> list[str]:
    """Return the numbered posts on `page`, from top to bottom."""
    return re.findall(r"post-\d+", page)


def link(page: str, direction: str) -> str:
    """Return the URL of the older (before) or newer (after) posts, or an empty string."""
    found = re.search(rf'href="([^"]*\b{direction}=\d+[^"]*)"', page)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_stranger_can_read(client: FlaskClient, blog: Blog, path: str) -> None:
    """A visitor without an account can read posts, profiles and lists of people."""
    blog.post(blog.user("susan"))
    assert client.get(path).status_code == 200


def test_front_page_shows_latest_posts(client: FlaskClient, blog: Blog) -> None:
    """The front page shows a stranger everybody's posts and the way to register."""
    blog.post(blog.user("susan"), "post-0")
    page = client.get("/").text
    assert (bodies(page), 'href="/auth/register"' in page) == (["post-0"], True)


@pytest.mark.parametrize("path", PRIVATE_PAGES)
def test_login_is_required(client: FlaskClient, path: str) -> None:
    """A stranger is redirected to the log-in page, which leads back to the private page."""
    location = urlsplit(client.get(path).location)
    assert (location.path, location.query.startswith("next=")) == ("/auth/login", True)


@pytest.mark.parametrize("path", ["/", *PRIVATE_PAGES, *ACTIONS])
def test_anonymous_changes_nothing(client: FlaskClient, path: str) -> None:
    """A form from nobody leads to the login."""
    assert urlsplit(client.post(path).location).path == "/auth/login"


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("path", ["/auth/logout", *ACTIONS])
def test_link_changes_nothing(client: FlaskClient, path: str) -> None:
    """What changes something is no link that a page elsewhere could lead to."""
    assert client.get(path).status_code == 405


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Hello", "Hello"),
        ("  Hello\n", "Hello"),
        ("x" * 140, "x" * 140),
        ("\N{PILE OF POO}" * 140, "\N{PILE OF POO}" * 140),
        ("He\0llo", "Hello"),
    ],
)
def test_post(client: FlaskClient, blog: Blog, typed: str, kept: str) -> None:
    """A post is kept as typed, without blanks around it and without NUL."""
    client.post("/", data={"post": typed})
    assert blog.read(select(Post.body)) == [kept]


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("typed", ["", " \n ", "\0", "\u200b", "x" * 141])
def test_post_is_refused(client: FlaskClient, blog: Blog, typed: str) -> None:
    """A post that says nothing, or too much, shows the form again."""
    assert client.post("/", data={"post": typed}).status_code == 200
    assert blog.read(select(func.count(Post.id))) == [0]


def test_timeline(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """The timeline is one's own posts and those of the followed, newest first."""
    stranger = blog.user("maria")
    blog.follow(susan, david)
    for number, author in enumerate((susan, david, stranger, david)):
        blog.post(author, f"post-{number}")
    assert bodies(client.get("/").text) == ["post-3", "post-1", "post-0"]


def test_follower_is_not_followed(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """To be followed puts nobody on one's timeline."""
    blog.follow(david, susan)
    blog.post(david, "post-0")
    assert bodies(client.get("/").text) == []


@pytest.mark.usefixtures("susan")
def test_explore(client: FlaskClient, blog: Blog, david: int) -> None:
    """Everybody's posts are there to be found."""
    blog.post(david, "post-0")
    assert bodies(client.get("/explore").text) == ["post-0"]


def test_time_links_to_post(client: FlaskClient, blog: Blog, susan: int) -> None:
    """The time of a post links to a page that shows this post and no other."""
    blog.post(susan, "post-1")
    post = blog.post(susan, "post-0")
    found = re.search(rf'<a href="(/post/{post})">\s*<time', client.get("/").text)
    assert found
    assert bodies(client.get(found[1]).text.partition("<h1>")[2]) == ["post-0"]


def test_mention_links_to_profile(client: FlaskClient, blog: Blog, susan: int) -> None:
    """A mention in a post links to the profile of that name."""
    blog.post(susan, "Ask @david")
    assert '<a href="/user/david">@david</a>' in client.get("/").text


def test_profile(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """A profile shows the posts of its user, and of nobody else."""
    blog.post(susan, "post-0")
    blog.post(david, "post-1")
    assert bodies(client.get("/user/david").text) == ["post-1"]


@pytest.mark.usefixtures("susan", "david")
def test_name_ignores_case(client: FlaskClient) -> None:
    """A profile is found whatever the case of the name in its URL."""
    assert "<h1>david</h1>" in client.get("/user/David").text


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("page", ["", "/followers", "/following"])
@pytest.mark.parametrize("name", ["nobody", "%00", "susan%00", "%F0%9F%92%A9", "x" * 999])
def test_unknown_user(client: FlaskClient, name: str, page: str) -> None:
    """A name that nobody has is a 404."""
    assert client.get(f"/user/{name}{page}").status_code == 404


@pytest.mark.parametrize(("count", "shown"), [(0, "0"), (1000, "1,000"), (1001, "1,000+")])
def test_profile_counts_posts(
    app: Flask, client: FlaskClient, susan: int, count: int, shown: str
) -> None:
    """A profile says how many posts its user has written, up to a limit."""
    with app.app_context():
        db.session.add_all(Post(user_id=susan, body="Hello") for _ in range(count))
        db.session.commit()
    assert f"<b>{shown}</b> post" in client.get("/user/susan").text


def test_profile_says_when_user_joined(client: FlaskClient, blog: Blog) -> None:
    """A profile shows the month in which its user registered."""
    blog.user("susan", created=datetime(2024, 5, 17))
    assert '<time datetime="2024-05-17">May 2024</time>' in client.get("/user/susan").text


def test_profile_without_date(client: FlaskClient, blog: Blog) -> None:
    """The profile of an account older than this date says nothing about it."""
    blog.user("susan", created=null())
    assert "Joined" not in client.get("/user/susan").text


def test_stranger_is_led_to_login(client: FlaskClient, blog: Blog) -> None:
    """The button to follow leads a stranger to the log-in page, and back to the profile."""
    blog.user("susan")
    assert 'href="/auth/login?next=/user/susan">Follow<' in client.get("/user/susan").text


@pytest.mark.parametrize(("list_", "name"), [("followers", "maria"), ("following", "chen")])
def test_people(client: FlaskClient, blog: Blog, david: int, list_: str, name: str) -> None:
    """The lists of a profile show who follows its user, and whom the user follows."""
    blog.follow(blog.user("maria"), david)
    blog.follow(david, blog.user("chen"))
    page = client.get(f"/user/david/{list_}").text.partition("<h1>")[2]
    assert re.findall(r'href="/user/(maria|chen)"', page) == [name]


def test_people_fill_pages(client: FlaskClient, blog: Blog, david: int) -> None:
    """A long list of followers continues on another page, without a gap."""
    for number in range(26):
        blog.follow(blog.user(f"post-{number}"), david)
    newest = client.get("/user/david/followers").text
    oldest = client.get(link(newest, "before")).text
    assert len(set(bodies(newest))) == 25
    assert set(bodies(oldest)) == {"post-0"}


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("path", ["/follow/nobody", "/unfollow/nobody", "/follow/%00"])
def test_follow_unknown_user(client: FlaskClient, path: str) -> None:
    """Nobody can be followed."""
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/explore", "/user/susan"])
class TestPages:
    """Sixty posts, which fill two pages and a part of a third."""

    @pytest.fixture(autouse=True)
    def posts(self, app: Flask, susan: int) -> None:
        """Add sixty posts."""
        with app.app_context():
            db.session.add_all(Post(user_id=susan, body=f"post-{n}") for n in range(60))
            db.session.commit()

    @staticmethod
    def walk(client: FlaskClient, path: str, direction: str) -> list[list[str]]:
        """Return the posts of each page from `path` on."""
        pages = []
        while path:
            page = client.get(path).text
            pages.append(bodies(page))
            path = link(page, direction)
        return pages

    def test_older(self, client: FlaskClient, path: str) -> None:
        """Older after older page shows every post once, newest first."""
        pages = self.walk(client, path, "before")
        assert [len(page) for page in pages] == [25, 25, 10]
        assert list(chain(*pages)) == [f"post-{n}" for n in reversed(range(60))]

    def test_newer(self, client: FlaskClient, path: str) -> None:
        """The way back shows the same pages."""
        pages = self.walk(client, f"{path}?before=11", "after")
        assert pages[::-1] == self.walk(client, path, "before")

    def test_ends(self, client: FlaskClient, path: str) -> None:
        """There is nothing newer than the newest page, and nothing older than the oldest."""
        newest, oldest = client.get(path).text, client.get(f"{path}?before=11").text
        assert (link(newest, "after"), link(oldest, "before")) == ("", "")

    def test_deleted_post(self, client: FlaskClient, path: str) -> None:
        """A page begins at its place even when the post there has gone."""
        client.post("/post/36/delete")
        assert bodies(client.get(f"{path}?before=36").text)[0] == "post-34"

    def test_bad_cursor(self, client: FlaskClient, path: str) -> None:
        """An address that makes no sense shows the newest page."""
        page = client.get(f"{path}?before=-1&after=\u0667").text
        assert bodies(page)[0] == "post-59"


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """Collect the statements that go to the database."""
    statements: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


def test_few_queries(client: FlaskClient, blog: Blog, susan: int) -> None:
    """A timeline of many authors takes at most five queries."""
    for number in range(10):
        author = blog.user(f"user{number}")
        blog.follow(susan, author)
        blog.post(author)
    with counted_queries() as statements:
        client.get("/")
    assert 0 < len(statements) <= 5


def test_follow(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """Follow puts somebody's posts on one's timeline."""
    blog.post(david, "post-0")
    client.post("/follow/david")
    assert bodies(client.get("/").text) == ["post-0"]


def test_unfollow(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """Unfollow takes them off again."""
    blog.follow(susan, david)
    blog.post(david, "post-0")
    client.post("/unfollow/david")
    assert bodies(client.get("/").text) == []


@pytest.mark.parametrize(
    ("clicks", "pairs"),
    [
        (["/follow/david"], 1),
        (["/follow/david", "/follow/david"], 1),
        (["/follow/susan"], 0),
        (["/unfollow/david"], 0),
        (["/follow/david", "/unfollow/david"], 0),
    ],
)
@pytest.mark.usefixtures("susan", "david")
def test_clicks(client: FlaskClient, blog: Blog, clicks: list[str], pairs: int) -> None:
    """Any order of clicks leads back to a page, and to what it should."""
    for path in clicks:
        assert client.post(path, follow_redirects=True).status_code == 200
    assert len(blog.read(select(followers.c.followed_id))) == pairs


@pytest.mark.usefixtures("susan")
def test_edit_profile(client: FlaskClient) -> None:
    """What users say of themselves is on their profile."""
    client.post("/edit_profile", data={"about_me": "Likes tea"})
    assert "Likes tea" in client.get("/user/susan").text


@pytest.mark.usefixtures("susan")
def test_edit_profile_shows_old(client: FlaskClient) -> None:
    """The form begins with what is there."""
    client.post("/edit_profile", data={"about_me": "Likes tea"})
    assert "Likes tea" in client.get("/edit_profile").text


@pytest.mark.usefixtures("susan")
def test_edit_profile_refuses(client: FlaskClient, blog: Blog) -> None:
    """More than 140 characters are too many."""
    assert client.post("/edit_profile", data={"about_me": "x" * 141}).status_code == 200
    assert blog.read(select(User.about_me)) == [""]


def test_delete_asks_once(client: FlaskClient, blog: Blog, susan: int) -> None:
    """The link to delete a post asks whether to do so, and deletes nothing itself."""
    page = client.get(f"/post/{blog.post(susan)}/delete").text
    assert 'action="/post/1/delete"' in page
    assert blog.read(select(Post.id)) == [1]


def test_delete_own_post(client: FlaskClient, blog: Blog, susan: int) -> None:
    """Users can take back what they wrote."""
    client.post(f"/post/{blog.post(susan)}/delete")
    assert blog.read(select(Post.id)) == []


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_delete_other_post(client: FlaskClient, blog: Blog, david: int, method: str) -> None:
    """Nobody can delete what another wrote."""
    response = client.open(f"/post/{blog.post(david)}/delete", method=method)
    assert response.status_code == 403
    assert len(blog.read(select(Post.id))) == 1


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("post_id", ["1", "2147483648", "9" * 30, "-1", "abc"])
def test_no_post(client: FlaskClient, post_id: str) -> None:
    """A post that does not exist can be neither read nor deleted."""
    assert client.get(f"/post/{post_id}").status_code == 404
    assert client.post(f"/post/{post_id}/delete").status_code == 404


def test_visit_is_noted(client: FlaskClient, app: Flask, blog: Blog, susan: int) -> None:
    """A visit renews `last_seen`."""
    with app.app_context():
        user = db.session.get_one(User, susan)
        user.last_seen = before = user.last_seen.replace(year=2001)
        db.session.commit()
    client.get("/explore")
    assert blog.read(select(User.last_seen))[0] > before


@pytest.mark.usefixtures("susan")
def test_broken_route_is_missing(app: Flask, client: FlaskClient) -> None:
    """Where BROKEN_ROUTE is off, there is no such page."""
    app.config["BROKEN_ROUTE"] = False
    assert client.get("/broken_route").status_code == 404
