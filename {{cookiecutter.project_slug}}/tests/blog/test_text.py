"""The text of posts and profiles, as pages show it."""

import random
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from flask import Flask

from app.blog.text import hue, is_visible, linkify

WORDS = """
http:// https:// HTTP:// javascript: // :// www. a.org / ? # @ @@ susan su.san - _ . .. , ! * ' "
& &amp; &lt; < > <a href= </a> <script> ( ) (( )) [ ] { } {0} %s \\
"""
SPECIAL = " \n\t\xa0\u202e\u200d\ud83déß\N{ARABIC LETTER ALEF}\N{PILE OF POO}"
PIECES = [*WORDS.split(), *SPECIAL]
SAFE = re.compile(r"(?i:https?)://[^\s<>\"]+$|/user/[\w.-]+$", re.ASCII)


class Links(HTMLParser):
    """The text of a page and its tags."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.attributes: list[dict[str, str | None]] = []
        self.feed(str(page))
        self.close()

    def handle_data(self, data: str) -> None:
        """Collect text."""
        self.text += data

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect a tag and its attributes."""
        self.tags.add(tag)
        self.attributes.append(dict(attrs))


def hostile_texts() -> Iterator[str]:
    """Yield random texts, made of the pieces of links and tags."""
    generator = random.Random(1)
    for _ in range(1000):
        yield "".join(generator.choices(PIECES, k=generator.randrange(1, 20)))


def test_links_change_no_text(app: Flask) -> None:
    """A page shows the text exactly as it was typed."""
    with app.test_request_context():
        for typed in hostile_texts():
            assert Links(linkify(typed)).text == typed


def test_text_becomes_links_only(app: Flask) -> None:
    """The only tags made of a text are links to the web or to a profile."""
    with app.test_request_context():
        pages = [Links(linkify(typed)) for typed in hostile_texts()]
    links = [link for page in pages for link in page.attributes]
    assert {tag for page in pages for tag in page.tags} == {"a"}
    assert {name for link in links for name in link} == {"href", "rel"}
    assert [url for link in links if not SAFE.match(url := link["href"] or "")] == []


@pytest.mark.parametrize(
    ("typed", "hrefs"),
    [
        ("See https://example.com/a?b=c&d#e.", ["https://example.com/a?b=c&d#e"]),
        ("(http://example.com/a_(b))", ["http://example.com/a_(b)"]),
        ("https://example.com/@susan, @david!", ["https://example.com/@susan", "/user/david"]),
        ("@su.san. @_x-", ["/user/su.san", "/user/_x-"]),
        ("susan@example.com é@susan @ @. @é", []),
        ("javascript:alert(1) ftp://example.com http:// https://.", []),
        ('https://example.com/"onclick=alert(1)', ["https://example.com/"]),
    ],
)
def test_links(app: Flask, typed: str, hrefs: list[str]) -> None:
    """URLs and mentions become links. The punctuation around them does not."""
    with app.test_request_context():
        assert [link["href"] for link in Links(linkify(typed)).attributes] == hrefs


def test_link_to_other_site() -> None:
    """A link to another site has no rank in search engines and no access to our window."""
    assert Links(linkify("http://a.org")).attributes[0]["rel"] == "nofollow noopener"


@pytest.mark.parametrize("start", ["http://", "http://a((", "http://!", "@."])
@pytest.mark.parametrize("rest", ["", "!", "("])
def test_long_text_is_quick(app: Flask, start: str, rest: str) -> None:
    """The time to find links is linear in the length of the text."""
    started = time.perf_counter()
    with app.test_request_context():
        linkify(start * 10_000 + rest * 10_000)
    assert time.perf_counter() - started < 5


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("a", True),
        ("\u200b.", True),
        ("\N{PILE OF POO}\ufe0f", True),
        ("\u0645", True),
        (" \u3000\u00a0", False),
        ("\u200b\u2060\ufeff", False),
        ("\u202e\u2066", False),
        ("\u3164\u115f\u2800", False),
        ("\u0301", False),
        ("\U000e0041", False),
        ("\U0001fbfa", True),  # unassigned, as a new emoji is to an older Python
    ],
)
def test_visible_text(text: str, visible: bool) -> None:
    """A text of whitespace, marks, format characters and blank letters is invisible."""
    assert is_visible(text) is visible


def test_hue_is_stable() -> None:
    """The hue of a name is the same in every process."""
    assert hue("susan") == 124
