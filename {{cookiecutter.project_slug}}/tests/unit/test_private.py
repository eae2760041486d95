"""Which texts are private, and what blanking leaves of a text that quotes them."""

import time

import pytest
from flask import Flask

from app.private import FILTERED, blank, private_texts


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("for susan@example.com", "for [Filtered]"),
        ("of bob and bobbin", "of [Filtered] and bobbin"),
        ("a-long-secret1 and a-long-secret", "[Filtered]1 and [Filtered]"),
        ("seven77 and seven777", "[Filtered] and seven777"),
        ("eight888 and eight8888", "[Filtered] and [Filtered]8"),
        ("line one\\nline two", "[Filtered]"),
        ("no, nothing private", "no, nothing private"),
    ],
)
def test_text_is_blanked(text: str, left: str) -> None:
    """Short values count as whole words. Long ones count anywhere, and as code quotes them."""
    names = ["bob", "seven77", "eight888", "a-long-secret", " line one\r\nline two ", "no", 7, None]
    private = private_texts(names)
    assert blank({"a": [text]}, private) == {"a": [left]}


def test_nested_values_are_private() -> None:
    """A text in a list or mapping is private too, such as a flashed message of a session."""
    private = private_texts([{"_flashes": [("message", "for Susan")]}])
    assert blank("for Susan", private) == FILTERED


def test_fields_are_private() -> None:
    """What was sent in any field is private, except for the caption of the button."""
    with Flask(__name__).test_request_context("/?about=One&submit=Two&username=Three"):
        assert blank(["One", "Two", "Three"], private_texts([])) == [FILTERED, "Two", FILTERED]


def test_longest_value_goes_first() -> None:
    """No end of a long value stays because a shorter value is its beginning."""
    secret = "0123456789abcdefghijklmnopqrstuvwxyz"
    private = private_texts([secret[:length] for length in range(8, len(secret) + 1)])
    assert blank(secret, private) == FILTERED


def test_blanking_takes_linear_time() -> None:
    """A text of 40,000 characters takes milliseconds. A request can contain more."""
    start = time.process_time()
    blank("a" * 40_000, [])
    assert time.process_time() - start < 0.5


def test_unreadable_request_makes_all_private() -> None:
    """Every text is blanked if the request cannot be read, because its crash must be sent."""
    with Flask(__name__).test_request_context(environ_overrides={"QUERY_STRING": "\xe9"}):
        assert blank({"number": 1, "text": "any"}, private_texts([])) == {
            "number": 1,
            "text": FILTERED,
        }
