"""Posts, timelines, profiles."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, event, func, select

from app.extensions import db
from app.models import Post, User, followers
from tests.conftest import Blog

PAGES = ["/", "/index", "/explore", "/user/susan", "/edit_profile"]
ACTIONS = ["/follow/susan", "/unfollow/susan", "/post/1/delete"]


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


@pytest.mark.parametrize("path", PAGES)
def test_login_is_required(client: FlaskClient, path: str) -> None:
    """Whoever is not logged in is sent to do so, and back here then."""
    location = urlsplit(client.get(path).location)
    assert (location.path, location.query.startswith("next=")) == ("/auth/login", True)


@pytest.mark.parametrize("path", ["/", "/edit_profile", *ACTIONS])
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
@pytest.mark.parametrize("typed", ["", " \n ", "\0", "x" * 141])
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


def test_profile(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """A profile shows the posts of its user, and of nobody else."""
    blog.post(susan, "post-0")
    blog.post(david, "post-1")
    assert bodies(client.get("/user/david").text) == ["post-1"]


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("name", ["nobody", "%00", "susan%00", "%F0%9F%92%A9", "x" * 999])
def test_unknown_user(client: FlaskClient, name: str) -> None:
    """What nobody is called is a page that does not exist."""
    assert client.get(f"/user/{name}").status_code == 404


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


def test_delete_own_post(client: FlaskClient, blog: Blog, susan: int) -> None:
    """Users can take back what they wrote."""
    client.post(f"/post/{blog.post(susan)}/delete")
    assert blog.read(select(Post.id)) == []


@pytest.mark.usefixtures("susan")
def test_delete_other_post(client: FlaskClient, blog: Blog, david: int) -> None:
    """Nobody can delete what another wrote."""
    assert client.post(f"/post/{blog.post(david)}/delete").status_code == 403
    assert len(blog.read(select(Post.id))) == 1


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("post_id", ["1", "2147483648", "9" * 30, "-1", "abc"])
def test_delete_no_post(client: FlaskClient, post_id: str) -> None:
    """What is not there cannot be deleted."""
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
