"""The text of posts and profiles, as pages show it."""

import re
import unicodedata
import zlib

from flask import url_for
from markupsafe import Markup, escape

# A URL keeps its pairs of brackets, but not the punctuation that ends a sentence. Neither does a
# mention. No part can match the same text in two ways, so a search takes time linear in the text.
LINK = re.compile(
    r"""(?P<url>(?i:https?)://(?:[^\s<>"()]|\([^\s<>"()]*\))+(?<![.,;:!?'*_\]]))"""
    r"""|(?<!\w)@(?P<name>[A-Za-z0-9_.-]*[A-Za-z0-9_-])"""
)
INVISIBLE = ("Cc", "Cf", "Me", "Mn", "Zl", "Zp", "Zs")  # categories of Unicode
BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols that fonts show as nothing


def is_visible(text: str) -> bool:
    """Return whether any character of `text` can be seen."""
    return any(unicodedata.category(c) not in INVISIBLE and c not in BLANK for c in text)


def linkify(text: str) -> Markup:
    """Return `text` as HTML in which URLs and @mentions are links. All else is escaped."""
    if "@" not in text and "://" not in text:  # most texts: the search below takes 10 µs
        return escape(text)
    parts, end = [], 0
    for match in LINK.finditer(text):
        parts += [text[end : match.start()], link(match)]
        end = match.end()
    return Markup().join([*parts, text[end:]])


def link(match: re.Match[str]) -> Markup:
    """Return the link for a match of `LINK`."""
    if name := match["name"]:
        return Markup('<a href="{}">@{}</a>').format(url_for("blog.user", username=name), name)
    return Markup('<a href="{0}" rel="nofollow noopener">{0}</a>').format(match["url"])


def hue(name: str) -> int:
    """Return the hue of `name` in degrees. It is the same in every process."""
    return zlib.crc32(name.encode()) % 360
