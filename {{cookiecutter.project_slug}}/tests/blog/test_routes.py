"""The pages and forms of the blog."""

import re
from datetime import datetime
from html import unescape
from itertools import chain
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, text, update

from app.blog.models import Post, Profile, followers
from tests.blog.conftest import Blog

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


def bodies(page: str) -> list[str]:
    """Return the numbered posts on `page`, from top to bottom."""
    return re.findall(r"post-\d+", page)


def older(page: str) -> str:
    """Return the URL of the older posts, or an empty string."""
    found = re.search(r'rel="next" href="([^"]+)"', page)
    return unescape(found[1]) if found else ""


def newest(page: str) -> str:
    """Return the URL of the newest posts, or an empty string."""
    found = re.search(r'href="([^"]*)">Newest<', page)
    return unescape(found[1]) if found else ""


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_stranger_can_read(client: FlaskClient, blog: Blog, path: str) -> None:
    """A visitor without an account can read posts, profiles and lists of people."""
    blog.add_post(blog.add_user("susan"))
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/", "/index"])
def test_front_page_of_stranger(client: FlaskClient, blog: Blog, path: str) -> None:
    """The front page shows everybody's posts and a link to register to a stranger."""
    blog.add_post(blog.add_user("susan"), "post-0")
    page = client.get(path).text
    assert (bodies(page), 'href="/auth/register"' in page) == (["post-0"], True)


@pytest.mark.parametrize("path", ["/", "/index"])
def test_front_page_of_user(
    client: FlaskClient, blog: Blog, susan: int, david: int, path: str
) -> None:
    """The front page shows the timeline of a user, newest post first."""
    blog.add_follow(susan, david)
    for number, author in enumerate((susan, david, blog.add_user("maria"), david)):
        blog.add_post(author, f"post-{number}")
    assert bodies(client.get(path).text) == ["post-3", "post-1", "post-0"]


@pytest.mark.parametrize("path", PRIVATE_PAGES)
def test_login_is_required(client: FlaskClient, path: str) -> None:
    """A stranger is redirected to the log-in page, which redirects back to the private page."""
    location = urlsplit(client.get(path).location)
    assert (location.path, location.query.startswith("next=")) == ("/auth/login", True)


@pytest.mark.parametrize("path", ["/", "/index", *PRIVATE_PAGES, *ACTIONS])
def test_form_of_stranger(client: FlaskClient, path: str) -> None:
    """A stranger who sends a form is redirected to the log-in page."""
    assert urlsplit(client.post(path).location).path == "/auth/login"


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("path", ACTIONS)
def test_action_needs_form(client: FlaskClient, path: str) -> None:
    """A link cannot follow or unfollow anybody, only a form can."""
    assert client.get(path).status_code == 405


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Hello", "Hello"),
        ("  Hello\n", "Hello"),
        ("x" * 140, "x" * 140),
        ("\N{PILE OF POO}" * 140, "\N{PILE OF POO}" * 140),
        ("He\0llo", "Hello"),
    ],
)
def test_publish(client: FlaskClient, blog: Blog, typed: str, stored: str) -> None:
    """A post is stored as typed, without surrounding whitespace and without NUL."""
    client.post("/", data={"post": typed})
    assert blog.read(select(Post.body)) == [stored]


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("typed", ["", " \n ", "\0", "\u200b", "x" * 141])
def test_invalid_post(client: FlaskClient, blog: Blog, typed: str) -> None:
    """A post that is invisible or too long is not stored, and the form is shown again."""
    assert 'aria-invalid="true"' in client.post("/", data={"post": typed}).text
    assert blog.read(select(func.count(Post.id))) == [0]


@pytest.mark.usefixtures("susan")
def test_same_post_twice(client: FlaskClient, blog: Blog) -> None:
    """Two identical forms in a row publish one post, and both say that it is live."""
    for _ in range(2):
        page = client.post("/", data={"post": "Hello"}, follow_redirects=True).text
        assert "Your post is live." in page
    assert blog.read(select(Post.body)) == ["Hello"]


def test_follower_is_not_followed(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """A follower's posts are not on your timeline."""
    blog.add_follow(david, susan)
    blog.add_post(david, "post-0")
    assert bodies(client.get("/").text) == []


@pytest.mark.usefixtures("susan")
def test_explore(client: FlaskClient, blog: Blog, david: int) -> None:
    """The page Explore shows everybody's posts, also those of users whom you do not follow."""
    blog.add_post(david, "post-0")
    assert bodies(client.get("/explore").text) == ["post-0"]


def test_time_links_to_post(client: FlaskClient, blog: Blog, susan: int) -> None:
    """The time of a post links to a page that shows this post only."""
    blog.add_post(susan, "post-1")
    post_id = blog.add_post(susan, "post-0")
    found = re.search(rf'<a href="(/post/{post_id})">\s*<time', client.get("/").text)
    assert found
    assert bodies(client.get(found[1]).text.partition("<h1>")[2]) == ["post-0"]


def test_mention_links_to_profile(client: FlaskClient, blog: Blog, susan: int) -> None:
    """A mention in a post links to the profile of that name."""
    blog.add_post(susan, "Ask @david")
    assert '<a href="/user/david">@david</a>' in client.get("/").text


def test_profile(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """A profile shows the posts of its user only."""
    blog.add_post(susan, "post-0")
    blog.add_post(david, "post-1")
    assert bodies(client.get("/user/david").text) == ["post-1"]


@pytest.mark.usefixtures("susan", "david")
def test_name_ignores_case(client: FlaskClient) -> None:
    """A profile is found whatever the case of the name in its URL."""
    assert "<h1>david</h1>" in client.get("/user/David").text


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("page", ["", "/followers", "/following"])
@pytest.mark.parametrize("name", ["nobody", "%00", "susan%00", "%F0%9F%92%A9", "x" * 999])
def test_unknown_user(client: FlaskClient, name: str, page: str) -> None:
    """The pages of a user who does not exist are a 404."""
    assert client.get(f"/user/{name}{page}").status_code == 404


@pytest.mark.parametrize(("count", "shown"), [(0, "0"), (1000, "1,000"), (1001, "1,000+")])
def test_profile_counts_posts(
    client: FlaskClient, blog: Blog, susan: int, count: int, shown: str
) -> None:
    """A profile says how many posts its user has written, up to a limit."""
    rows = [{"user_id": susan, "body": "Hello"}] * count
    if rows:
        blog.execute(insert(Post).values(rows))
    assert f"<b>{shown}</b> post" in client.get("/user/susan").text


def test_profile_says_when_user_joined(client: FlaskClient, blog: Blog) -> None:
    """A profile shows the month in which its user registered."""
    blog.add_user("susan", created=datetime(2024, 5, 17))
    assert '<time datetime="2024-05-17">May 2024</time>' in client.get("/user/susan").text


@pytest.mark.usefixtures("david")
def test_profile_before_first_visit(client: FlaskClient, blog: Blog) -> None:
    """A profile does not say when its user was seen before the user's first visit."""
    assert "Seen" not in client.get("/user/david").text


def test_profile_says_when_user_was_seen(client: FlaskClient, blog: Blog, david: int) -> None:
    """A profile shows the last visit of its user."""
    blog.add(Profile(user_id=david, last_seen=datetime(2024, 5, 17, 12)))
    page = client.get("/user/david").text
    [title] = re.findall('<time datetime="2024-05-17T12:00:00Z" title="(.*)">2024-05-17<', page)
    assert title == "17 May 2024 at 12:00 UTC"


def test_stranger_follows(client: FlaskClient, blog: Blog) -> None:
    """The button to follow links a stranger to the log-in page, which redirects back."""
    blog.add_user("susan")
    assert 'href="/auth/login?next=/user/susan">Follow<' in client.get("/user/susan").text


@pytest.mark.parametrize(("page", "name"), [("followers", "maria"), ("following", "chen")])
def test_people(client: FlaskClient, blog: Blog, david: int, page: str, name: str) -> None:
    """The lists of a user show who follows the user, and whom the user follows."""
    blog.add_follow(blog.add_user("maria"), david)
    blog.add_follow(david, blog.add_user("chen"))
    people = client.get(f"/user/david/{page}").text.partition("<h1>")[2]
    assert re.findall(r'href="/user/(maria|chen)"', people) == [name]


@pytest.mark.usefixtures("susan")
def test_people_can_be_followed(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """A list of people has buttons to follow those whom the reader does not follow yet."""
    for name in ("maria", "chen"):
        blog.add_follow(blog.add_user(name), david)
    blog.add_follow(susan, david)
    client.post("/follow/chen")
    people = client.get("/user/david/followers").text
    assert re.findall('action="(.*?follow/.*?)"', people) == ["/unfollow/chen", "/follow/maria"]


def test_many_followers(client: FlaskClient, blog: Blog, david: int) -> None:
    """A long list of followers continues on another page, without a gap."""
    for number in range(26):
        blog.add_follow(blog.add_user(f"user{number}"), david)
    first = client.get("/user/david/followers").text
    second = client.get(older(first)).text
    names = [re.findall(r'<header>\s*<a href="/user/(\w+)"', page) for page in (first, second)]
    assert [len(page) for page in names] == [25, 1]
    assert list(chain(*names)) == [f"user{n}" for n in reversed(range(26))]


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("path", ["/follow/nobody", "/unfollow/nobody", "/follow/%00"])
def test_follow_unknown_user(client: FlaskClient, path: str) -> None:
    """Following a user who does not exist is a 404."""
    assert client.post(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/explore", "/user/susan"])
class TestPages:
    """Sixty posts, which fill two pages and a part of a third."""

    @pytest.fixture(autouse=True)
    def sixty_posts(self, blog: Blog, susan: int) -> None:
        """Add sixty posts."""
        rows = [{"user_id": susan, "body": f"post-{n}"} for n in range(60)]
        blog.execute(insert(Post).values(rows))

    def test_older_pages(self, client: FlaskClient, path: str) -> None:
        """The links to older pages lead to every post once, newest first."""
        pages = []
        for _ in range(3):
            page = client.get(path).text
            pages.append(bodies(page))
            path = older(page)
        assert path == ""
        assert [len(page) for page in pages] == [25, 25, 10]
        assert list(chain(*pages)) == [f"post-{n}" for n in reversed(range(60))]

    @pytest.mark.parametrize("before", [36, 11, 1])
    def test_newest_page(self, client: FlaskClient, path: str, before: int) -> None:
        """All older pages link to the newest page, which has no such link."""
        page = client.get(newest(client.get(f"{path}?before={before}").text)).text
        assert (bodies(page)[0], newest(page)) == ("post-59", "")

    def test_deleted_post(self, client: FlaskClient, path: str) -> None:
        """A page has the same posts after the post in its URL was deleted."""
        page = bodies(client.get(f"{path}?before=36").text)
        client.post("/post/36/delete")
        assert bodies(client.get(f"{path}?before=36").text) == page

    def test_invalid_page(self, client: FlaskClient, path: str) -> None:
        """A URL with an invalid parameter shows the newest page."""
        assert bodies(client.get(f"{path}?before=-1").text)[0] == "post-59"


def test_few_queries(client: FlaskClient, blog: Blog, susan: int) -> None:
    """A page of the timeline takes two queries: one for the user and one for the posts."""
    for number in range(10):
        author = blog.add_user(f"user{number}")
        blog.add_follow(susan, author)
        blog.add_post(author)
    client.get("/")  # stores the visit
    with blog.recorded() as statements:
        assert client.get("/").text.count("<article") == 10
    assert len(statements) == 2


def test_follow(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """The posts of a user whom you follow are on your timeline."""
    blog.add_post(david, "post-0")
    client.post("/follow/david")
    assert bodies(client.get("/").text) == ["post-0"]


def test_unfollow(client: FlaskClient, blog: Blog, susan: int, david: int) -> None:
    """The posts of a user whom you no longer follow are not on your timeline."""
    blog.add_follow(susan, david)
    blog.add_post(david, "post-0")
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
    """A click that changes nothing, such as a second one, does no harm and leads to a page."""
    for path in clicks:
        assert client.post(path, follow_redirects=True).status_code == 200
    assert len(blog.read(select(followers.c.followed_id))) == pairs


@pytest.mark.usefixtures("susan")
def test_edit_profile(client: FlaskClient) -> None:
    """The text that a user saves is on the user's profile."""
    client.post("/edit_profile", data={"about_me": "Likes tea"})
    assert "Likes tea" in client.get("/user/susan").text


@pytest.mark.usefixtures("susan")
def test_profile_form_is_filled(client: FlaskClient) -> None:
    """The form of a profile contains the saved text."""
    client.post("/edit_profile", data={"about_me": "Likes tea"})
    assert "Likes tea" in client.get("/edit_profile").text


@pytest.mark.usefixtures("susan")
def test_invalid_profile(client: FlaskClient, blog: Blog) -> None:
    """A text of more than 140 characters is not saved, and the form is shown again."""
    page = client.post("/edit_profile", data={"about_me": "x" * 141}).text
    assert 'aria-invalid="true"' in page
    assert blog.read(select(Profile.about_me)) == [""]


def test_deletion_is_confirmed(client: FlaskClient, blog: Blog, susan: int) -> None:
    """The link to delete a post leads to a page that asks, and deletes nothing."""
    page = client.get(f"/post/{blog.add_post(susan)}/delete").text
    assert 'action="/post/1/delete"' in page
    assert blog.read(select(Post.id)) == [1]


def test_delete_own_post(client: FlaskClient, blog: Blog, susan: int) -> None:
    """Users can delete their own posts."""
    client.post(f"/post/{blog.add_post(susan)}/delete")
    assert blog.read(select(Post.id)) == []


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_delete_other_post(client: FlaskClient, blog: Blog, david: int, method: str) -> None:
    """A user cannot delete another user's post."""
    response = client.open(f"/post/{blog.add_post(david)}/delete", method=method)
    assert response.status_code == 403
    assert len(blog.read(select(Post.id))) == 1


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("post_id", ["1", "2147483648", "9" * 30, "-1", "abc"])
def test_unknown_post(client: FlaskClient, post_id: str) -> None:
    """The pages of a post that does not exist are a 404."""
    assert client.get(f"/post/{post_id}").status_code == 404
    assert client.post(f"/post/{post_id}/delete").status_code == 404


@pytest.mark.parametrize("path", ["/", "/explore"])
@pytest.mark.usefixtures("susan")
def test_visit_is_stored(client: FlaskClient, blog: Blog, path: str) -> None:
    """A visit updates the time at which the user was last seen."""
    client.get("/edit_profile")  # adds the profile
    long_ago = datetime(2001, 1, 1)
    blog.execute(update(Profile).values(last_seen=long_ago))
    client.get(path)
    assert blog.read(select(Profile.last_seen)) > [long_ago]


@pytest.mark.usefixtures("susan")
def test_reading_needs_no_writes(client: FlaskClient, blog: Blog) -> None:
    """While the database takes no writes, a user can read, also on the first visit."""
    blog.execute(text("PRAGMA query_only = ON"))
    assert client.get("/explore").status_code == 200
