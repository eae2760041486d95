"""Which texts are private, and what blanking leaves of a text that quotes them."""

import time
from datetime import date
from decimal import Decimal
from io import BytesIO

import pytest
import sentry_sdk
from flask import Flask, flash

from app.sentry.private import FILTERED, Private, find_private


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("for susan@example.com", "for [Filtered]"),
        ("of bob and bobbin", "of [Filtered] and bobbin"),
        ("a-long-secret1 and a-long-secret", "[Filtered]1 and [Filtered]"),
        ("seven77 and seven777", "[Filtered] and seven777"),
        ("eight888 and eight8888", "[Filtered] and [Filtered]8"),
        ("line one\\nline two", "[Filtered]"),
        ("Eight888, EIGHT888", "[Filtered], [Filtered]"),
        (
            "/find?q=gr%c3%bc%C3%9Fe+dich&x=gr%C3%BC%C3%9Fe%20dich",
            "/find?q=[Filtered]&x=[Filtered]",
        ),
        ('{"a": "gr\\u00fc\\u00dfe dich"}', '{"a": "[Filtered]"}'),
        (str("grüße dich".encode()), "b'[Filtered]'"),
        (
            "failed\nDETAIL:  Key (a)=(b).\n(c)\n[SQL: SELECT]",
            "failed\nDETAIL: [Filtered]\n[SQL: SELECT]",
        ),
        ("failed\nCONTEXT:  COPY a, line 1: b", "failed\nCONTEXT: [Filtered]"),
        (
            "[SQL: I]\n[parameters: ('a]',)]\n(Background)",
            "[SQL: I]\nparameters: [Filtered]\n(Background)",
        ),
        ("no, nothing private", "no, nothing private"),
    ],
)
def test_text_is_blanked(text: str, left: str) -> None:
    """Short values count as whole words. Long ones count anywhere, and as code quotes them."""
    texts = ["bob", "seven77", "eight888", "a-long-secret", " line one\r\nline two ", "grüße dich"]
    assert find_private([*texts, "no", 7, None]).blank({"a": [text]}) == {"a": [left]}


def test_every_letter_counts() -> None:
    """A text with a letter that becomes two in lower case is removed, too."""
    assert find_private(["İsmailoglu"]).blank("for İsmailoglu") == "for [Filtered]"


def test_numbers_are_private() -> None:
    """Long numbers and dates are removed from texts, and also where they stand as numbers."""
    private = find_private([19870423, date(1987, 4, 23), Decimal("4912.50"), 42])
    left = private.blank(["born 1987-04-23", "for 4912.50", 19870423, 42, True])
    assert left == ["born [Filtered]", "for [Filtered]", FILTERED, 42, True]


def test_keys_are_blanked() -> None:
    """A key of a mapping is blanked as a text is."""
    assert find_private(["bob smith"]).blank({"bob smith": 1}) == {FILTERED: 1}


def test_nested_values_are_private() -> None:
    """A text in a list or mapping is private too, such as a flashed message of a session."""
    private = find_private([{"_flashes": [("message", "for Susan")]}])
    assert private.blank("for Susan") == FILTERED


def test_fields_are_private() -> None:
    """What was sent in any field is private, except for the caption of the button."""
    with Flask(__name__).test_request_context("/?about=One&submit=Two&username=Three"):
        assert find_private([]).blank(["One", "Two", "Three"]) == [FILTERED, "Two", FILTERED]


def test_longest_value_goes_first() -> None:
    """No end of a long value stays because a shorter value is its beginning."""
    secret = "0123456789abcdefghijklmnopqrstuvwxyz"
    private = find_private([secret[:length] for length in range(8, len(secret) + 1)])
    assert private.blank(secret) == FILTERED


def test_blanking_takes_linear_time() -> None:
    """A text of 40,000 characters takes milliseconds. A request can contain more."""
    start = time.process_time()
    Private(set()).blank("a" * 40_000)
    assert time.process_time() - start < 0.5


def test_unreadable_request_makes_all_private() -> None:
    """Every text is blanked if the request cannot be read, because its crash must be sent."""
    with Flask(__name__).test_request_context(environ_overrides={"QUERY_STRING": "\xe9"}):
        blanked = find_private([]).blank({"number": 1, "text": "any"})
    assert blanked == {FILTERED: FILTERED}


def test_names_of_fields_stay() -> None:
    """A name that a developer gives to a field is no secret. Any other text of a client is one."""
    with Flask(__name__).test_request_context("/?user_name=1&private-name=2"):
        assert find_private([]).blank(["user_name", "private-name"]) == ["user_name", FILTERED]


def test_first_address_is_private() -> None:
    """Each address in X-Forwarded-For is private by itself."""
    headers = {"X-Forwarded-For": "203.0.113.9, 10.0.0.1"}
    with Flask(__name__).test_request_context(headers=headers):
        assert find_private([]).blank("for 203.0.113.9") == "for [Filtered]"


def test_json_is_private() -> None:
    """The texts of a JSON body that was read are private."""
    app = Flask(__name__)
    with app.test_request_context(json={"deep": [{"text": "my secret"}]}) as context:
        assert context.request.json
        assert find_private([]).blank("my secret") == FILTERED


def test_raw_body_is_private() -> None:
    """A body that was read as it is, is private."""
    with Flask(__name__).test_request_context(data=b"my secret") as context:
        assert context.request.get_data()
        assert find_private([]).blank("my secret") == FILTERED


@pytest.mark.parametrize("body", [b'{"name": "my secret"}', b'"my secret"'])
def test_body_that_a_view_parses_is_private(body: bytes) -> None:
    """The texts of a JSON body are private if the view parses it by itself."""
    with Flask(__name__).test_request_context(data=body) as context:
        assert context.request.get_data()
        assert find_private([]).blank("for my secret") == "for [Filtered]"


def test_deep_body_makes_nothing_else_public() -> None:
    """Other private texts are removed even if the body is nested too deeply to be parsed."""
    with Flask(__name__).test_request_context("/?q=my+secret", data=b"[" * 60_000) as context:
        assert context.request.get_data()
        assert find_private([]).blank("for my secret") == "for [Filtered]"


def test_upload_makes_all_private() -> None:
    """Every text is blanked in a request with an upload, of which any part may be quoted."""
    data = {"list": (BytesIO(b"Jones,1"), "my.csv")}
    with Flask(__name__).test_request_context(method="POST", data=data) as context:
        assert context.request.files
        assert find_private([]).blank("invalid literal for int(): 'Jones'") == FILTERED


def test_thread_of_request_sends_no_text() -> None:
    """Every text is blanked in a thread that a request has started, which inherits its scope."""
    with sentry_sdk.isolation_scope() as scope:
        scope._name = "wsgi"  # the SDK does so for each request
        assert find_private([]).blank("any") == FILTERED


def test_words_of_headers_stay() -> None:
    """Messages keep the words that browsers and proxies send with each request."""
    headers = {"Sec-Fetch-Site": "none", "X-Forwarded-Proto": "https", "X-Api-Key": "my secret"}
    with Flask(__name__).test_request_context(headers=headers):
        left = find_private([]).blank("none of https://a, my secret")
    assert left == "none of https://a, [Filtered]"


def test_flashed_messages_are_private() -> None:
    """The text of a flashed message is private, and its category is not."""
    app = Flask(__name__)
    app.secret_key = "any"
    with app.test_request_context():
        flash("Welcome, susan!", "error")
        assert find_private([]).blank("error: Welcome, susan!") == "error: [Filtered]"
