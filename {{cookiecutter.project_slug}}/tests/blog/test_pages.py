"""What the pages of the blog contain, and what the blog adds to all pages."""

import re
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.assets import YEAR, static_url
from app.blog.models import Profile
from app.extensions import db
from tests.blog.conftest import Blog
from tests.conftest import ROOT
from tests.test_pages import Addresses

PAGES = [
    "/",
    "/explore",
    "/user/susan",
    "/user/david",
    "/user/susan/followers",
    "/user/susan/following",
    "/edit_profile",
    "/post/1",
    "/post/1/delete",
]
STATIC_FILES = [path.name for path in (ROOT / "app/blog/static").iterdir()]


@pytest.fixture
def addresses(client: FlaskClient, blog: Blog, susan: int, david: int) -> Addresses:
    """Return the URLs on all pages of the blog, as a user and a stranger see them."""
    for user, other in ((susan, david), (david, susan)):
        blog.add_post(user)
        blog.add_follow(user, other)
    clients = client, client.application.test_client()
    return Addresses("".join(c.get(path).text for c in clients for path in PAGES))


def test_no_other_host(addresses: Addresses) -> None:
    """The pages load nothing from other hosts, and send no forms to them."""
    found = addresses.links | addresses.forms
    assert {"/explore", "/unfollow/david"} <= found
    assert [address for address in found if urlsplit(address).netloc not in ("", "localhost")] == []


def test_links_lead_to_pages(client: FlaskClient, addresses: Addresses) -> None:
    """All files and pages to which the pages link are there."""
    paths = {path for address in addresses.links if (path := urlsplit(address).path)}
    missing = [p for p in paths if client.get(p, buffered=True).status_code >= 400]
    assert missing == []


@pytest.mark.parametrize("path", ["/", "/account", "/missing"])
@pytest.mark.usefixtures("susan")
def test_navigation(client: FlaskClient, path: str) -> None:
    """All pages have links to the timeline, to Explore and to the user's profile."""
    navigation = client.get(path).text.partition("</nav>")[0]
    links = re.findall(r'<a href="([^"]+)"[^>]*>(?:Home|Explore|Profile)<', navigation)
    assert links == ["/", "/explore", "/user/susan"]


def test_navigation_of_stranger(client: FlaskClient) -> None:
    """A stranger has a link to Explore, and none to a timeline or a profile."""
    navigation = client.get("/auth/login").text.partition("</nav>")[0]
    assert re.findall(r">(Home|Explore|Profile)<", navigation) == ["Explore"]


@pytest.mark.usefixtures("susan")
def test_account_links_to_profile(client: FlaskClient) -> None:
    """The page of the account has a link to the form of the profile."""
    assert '<a href="/edit_profile">' in client.get("/account").text


@pytest.mark.parametrize("name", STATIC_FILES)
def test_static_file_is_cached(app: Flask, client: FlaskClient, name: str) -> None:
    """Pages load the files under a URL with a version, which browsers keep for a year."""
    with app.test_request_context():
        url = static_url(name, "blog")
    assert f'="{url}"' in client.get("/explore").text
    assert client.get(url, buffered=True).cache_control.max_age == YEAR


@pytest.mark.parametrize("path", ["/explore", "/user/susan"])
def test_page_after_the_oldest_post(client: FlaskClient, susan: int, path: str) -> None:
    """A page that has no posts any more says so, and is not the one to pass on."""
    page = client.get(f"{path}?before=1").text
    assert "There are no older posts." in page
    assert "canonical" not in page


def test_static_file_needs_no_database(app: Flask, client: FlaskClient, susan: int) -> None:
    """A file is served without asking the database who the user is."""
    with app.app_context():
        db.drop_all()
    assert client.get("/static/blog/blog.css", buffered=True).status_code == 200


def test_style_loads_nothing(client: FlaskClient) -> None:
    """The style sheet loads no other file."""
    style = client.get("/static/blog/blog.css", buffered=True).text
    assert not re.search(r"@import|url\(", style)


def test_links_in_posts_are_isolated(client: FlaskClient) -> None:
    """A mention in an Arabic post keeps its @: each link is laid out by itself, left to right."""
    style = client.get("/static/blog/blog.css", buffered=True).text
    assert ".body a { direction: ltr; unicode-bidi: isolate; }" in style


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("path", ["/user/susan", "/explore"])
def test_avatar_is_drawn(client: FlaskClient, path: str) -> None:
    """The page itself contains the drawing that is a user's picture."""
    client.post("/", data={"post": "Hello"})
    assert '<svg class="avatar"' in client.get(path).text


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(
    ("form", "field", "page"),
    [("/", "post", "/"), ("/", "post", "/post/1"), ("/edit_profile", "about_me", "/user/susan")],
)
def test_text_is_escaped(client: FlaskClient, form: str, field: str, page: str) -> None:
    """HTML in a post or a profile is shown as text."""
    client.post(form, data={field: "<script>alert(1)</script>"})
    text = client.get(page).text
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.usefixtures("susan")
def test_limit_is_shown(client: FlaskClient) -> None:
    """A text field has a note with its limit, where the script finds it."""
    page = client.get("/").text
    assert 'aria-describedby="post-note"' in page
    assert 'id="post-note">At most 140 characters.<' in page


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("path", ["/", "/edit_profile"])
def test_browser_does_not_cut_text(client: FlaskClient, path: str) -> None:
    """A text field has no maxlength, which would count an emoji as two characters."""
    page = client.get(path).text
    assert re.findall(r"<textarea[^>]* (maxlength|data-limit)=", page) == ["data-limit"]


@pytest.mark.parametrize(("name", "text"), [("susan", "You have not"), ("david", "david has not")])
@pytest.mark.usefixtures("susan", "david")
def test_empty_profile(client: FlaskClient, name: str, text: str) -> None:
    """A profile without posts says so, in other words to its own user."""
    assert f"{text} written anything yet" in client.get(f"/user/{name}").text


@pytest.mark.parametrize(
    ("path", "title"), [("/post/1", "susan: &lt;b&gt; &#34;Hello&#34;"), ("/user/susan", "susan")]
)
def test_shared_page_has_a_preview(
    client: FlaskClient, blog: Blog, susan: int, path: str, title: str
) -> None:
    """A chat that is sent the link of a post or a profile can show what it says, escaped."""
    blog.add(Profile(user_id=susan, about_me='<b> "Hello"'))
    blog.add_post(susan, '<b> "Hello"')
    page = client.application.test_client().get(path).text
    assert dict(re.findall(r'property="og:(.*?)" content="(.*?)"', page)) == {
        "url": f"http://localhost{path}",
        "site_name": "Site",
        "title": title,
        "description": "&lt;b&gt; &#34;Hello&#34;",
    }


@pytest.mark.parametrize("path", PAGES)
def test_private_page_has_no_preview(
    client: FlaskClient, blog: Blog, susan: int, david: int, path: str
) -> None:
    """A page that a stranger does not get has no preview, and each preview has its own URL."""
    blog.add_post(susan)
    is_public = client.application.test_client().get(path).status_code == 200
    urls = re.findall('rel="canonical" href="http://localhost(.*?)"', client.get(path).text)
    assert urls == [] or (is_public and urls == [path])
