"""What is on the pages, and what is not."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import AuthActions

PAGES = [
    "/",
    "/account",
    "/account/password",
    "/account/email",
    "/account/delete",
    "/missing",
]
OPEN_PAGES = ["/", "/auth/login", "/auth/register", "/missing"]


class Addresses(HTMLParser):
    """All that a page loads or sends forms to, and the pages of this site that it links to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: set[str] = set()
        self.links: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the URLs of a tag."""
        for name, value in attrs:
            if name in ("action", "formaction"):
                self.forms.add(value or "")
            elif tag == "a" and re.match(r"\w+:|//", value or ""):
                continue  # another site
            elif name in ("href", "src", "srcset", "data", "poster"):
                self.links.add(value or "")


@pytest.fixture
def addresses(client: FlaskClient, susan: int) -> Addresses:
    """Return the URLs on all pages, as a user and a stranger see them."""
    stranger = client.application.test_client()
    pages = [client.get(path).text for path in PAGES]
    pages += [stranger.get(path).text for path in OPEN_PAGES]
    return Addresses("".join(pages))


def test_no_other_host(addresses: Addresses) -> None:
    """No page asks another host for anything."""
    found = addresses.links | addresses.forms
    assert {"/account", "/auth/logout"} <= found
    assert [address for address in found if urlsplit(address).netloc] == []


def test_style_has_no_other_host(client: FlaskClient) -> None:
    """Nor does the style."""
    style = client.get("/static/style.css", buffered=True).text
    assert not re.search(r"@import|url\(\W*(https?:)?//", style)


def test_links_lead_somewhere(client: FlaskClient, addresses: Addresses) -> None:
    """What a page loads, and what it links to on this site, exists."""
    paths = {path for address in addresses.links if (path := urlsplit(address).path)}
    missing = [p for p in paths if client.get(p, buffered=True).status_code >= 400]
    assert missing == []


@pytest.mark.parametrize("path", OPEN_PAGES)
def test_title(app: Flask, client: FlaskClient, path: str) -> None:
    """Every page carries the title, whatever it is made of."""
    app.config["TITLE"] = "<b>Susan & Co</b>"
    assert "&lt;b&gt;Susan &amp; Co&lt;/b&gt;</title>" in client.get(path).text


@pytest.mark.parametrize("path", ["/account/email", "/account/password"])
@pytest.mark.usefixtures("susan")
def test_first_error_gets_focus(client: FlaskClient, path: str) -> None:
    """A form that is shown again has the focus on its first invalid field, and on no other."""
    page = client.post(path, data={"email": "?"}).text
    invalid = re.findall(r'aria-invalid="true"( autofocus)?', page)
    assert invalid == [" autofocus", *([""] * (len(invalid) - 1))]


def test_valid_field_gets_no_focus(auth: AuthActions) -> None:
    """Where the first field is valid, the focus is on the first one that is not."""
    page = auth.register(username="susan", email="?", password="short").text
    assert re.findall(r'<input [^>]*\sid="(\w+)"[^>]* autofocus', page) == ["email"]


def test_registration_has_focus_in_order(auth: AuthActions) -> None:
    """The fields of the longest form are checked in the order of its page."""
    page = auth.register(username="", email="", password="").text
    assert re.findall(r'<input [^>]*\sid="(\w+)"[^>]* autofocus', page) == ["username"]


def test_window_has_the_colours_of_the_bar(client: FlaskClient) -> None:
    """Browsers get the colours of the bar for the frame of their window, light and dark."""
    style = client.get("/static/style.css", buffered=True).text
    colours = re.findall(r'"theme-color" content="(.*?)"', client.get("/auth/login").text)
    assert colours == re.findall(r"--card: (.*?);", style)
