"""What is blanked, and what is left as it was."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError, OperationalError

from app.config import TestConfig
from app.scrubbing import Scrubber, blank, drop_crash_line, private_forms
from app.sentry import is_lost_database
from tests.conftest import settings

CONFIG = settings(TestConfig)


class DatabaseError(Exception):
    """A driver's error, with the state that PostgreSQL gave."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def scrubbed(event: dict[str, Any], **config: str) -> Any:
    """Return `event` as it leaves."""
    return Scrubber({**CONFIG, **config}).event(event, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("for susan@example.com", "for [Filtered]"),
        ("of bob and bobbin", "of [Filtered] and bobbin"),
        ("a-long-secret1 and a-long-secret", "[Filtered]1 and [Filtered]"),
        ("line one\\nline two", "[Filtered]"),
        ("nothing private", "nothing private"),
    ],
)
def test_text_is_blanked(text: str, left: str) -> None:
    """Short values count as whole words, long ones anywhere, and as code would quote them."""
    private = private_forms(["bob", "a-long-secret", " line one\r\nline two ", "no", 7, None])
    assert blank({"a": [text]}, private) == {"a": [left]}


@pytest.mark.parametrize("key", ["message", "extra", "logentry"])
def test_own_secret_is_blanked(key: str) -> None:
    """Wherever an owner puts a text, the app's own secrets are not in it."""
    event = scrubbed({key: {"own": {"text": "a b0tt0mless secret"}}}, SECRET_KEY="b0tt0mless")
    assert "b0tt0mless" not in str(event)


def test_database_password_is_blanked() -> None:
    """An error has the password as it is, not as it stands in an address."""
    uri = "postgresql://app:p%40ss[word@db/app"
    assert scrubbed({"message": "for p@ss[word"}, SQLALCHEMY_DATABASE_URI=uri) == {
        "message": "for [Filtered]"
    }


def test_structure_is_kept() -> None:
    """What Sentry itself reads of an event stays, though a request may quote it."""
    crumb = {"level": "info", "category": "query", "timestamp": "2026-01-01", "message": "query"}
    with Flask(__name__).test_request_context("/?a=info&b=query&c=2026"):
        event = scrubbed({"breadcrumbs": {"values": [crumb]}, "environment": "info"})
    assert event["breadcrumbs"]["values"] == [{**crumb, "message": "[Filtered]"}]


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (OperationalError("", {}, DatabaseError(None)), True),
        (OperationalError("", {}, DatabaseError("08006")), True),
        (OperationalError("", {}, DatabaseError("57P01")), True),
        (OperationalError("", {}, DatabaseError("57014")), False),
        (IntegrityError("", {}, DatabaseError("23505")), False),
        (None, False),
    ],
)
def test_database_is_lost(error: object, lost: bool) -> None:
    """A query that was cancelled, say, is no lost database."""
    assert is_lost_database(error) is lost


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ({"category": "app", "message": "Exception on /reset/token [GET]"}, False),
        ({"attributes": {"logger.name": "app"}, "body": "Exception on / [GET]"}, False),
        ({"category": "app.bills", "message": "Exception on the invoice"}, True),
    ],
)
def test_crash_line_is_dropped(entry: Any, kept: bool) -> None:
    """Flask's line of a crash goes, an owner's stays."""
    assert (drop_crash_line(entry, {}) is not None) is kept
