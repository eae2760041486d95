"""Cursors in addresses."""

import pytest
from flask import Flask

from app.pagination import Cursor


@pytest.mark.parametrize(
    ("query", "cursor"),
    [
        ("", Cursor()),
        ("before=7", Cursor(7)),
        ("after=7", Cursor(7, after=True)),
        ("before=2147483647", Cursor(2147483647)),
        ("after=7&before=9", Cursor(7, after=True)),
    ],
)
def test_cursor_is_read(query: str, cursor: Cursor) -> None:
    """A page begins where the address says."""
    with Flask(__name__).test_request_context(f"/?{query}"):
        assert Cursor.from_request() == cursor


@pytest.mark.parametrize("direction", ["before", "after"])
@pytest.mark.parametrize(
    "value", ["abc", "-1", "1.5", "", "2147483648", "\u0667", "7 ", "7\n", "0x7"]
)
def test_bad_cursor_is_ignored(direction: str, value: str) -> None:
    """What is no id leads to the newest page, never to an error."""
    with Flask(__name__).test_request_context(query_string={direction: value}):
        assert Cursor.from_request() == Cursor()
