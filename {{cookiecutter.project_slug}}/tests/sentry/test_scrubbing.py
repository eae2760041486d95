"""Where an event is scrubbed, and what is left as it was."""

from copy import deepcopy
from typing import Any

import pytest
from flask import Flask

from app.sentry.scrubbing import Scrubber, is_crash_line
from tests.conftest import TestConfig, settings

CONFIG = settings(TestConfig)


def scrubbed(event: dict[str, Any], **config: str) -> Any:
    """Return `event` as it leaves."""
    return Scrubber({**CONFIG, **config}).event(event)  # type: ignore[arg-type]


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
    ("entry", "dropped"),
    [
        ({"category": "app", "message": "Exception on /reset/token [GET]"}, True),
        ({"attributes": {"logger.name": "app"}, "body": "Exception on / [GET]"}, True),
        ({"category": "app.bills", "message": "Exception on the invoice"}, False),
    ],
)
def test_crash_line(entry: Any, dropped: bool) -> None:
    """Flask's line of a crash is recognised. A line of the owner's that begins alike is not."""
    assert is_crash_line(entry) is dropped


RECORDED = [
    {"data": {"url": "http://sentry.example.org:9000/api/1/envelope/"}},
    {"data": {"url": "http://localhost:8969/stream"}},
    {"data": {"url": "http://api.example.org/", "http.query": "key=secret"}},
    {"data": None},
]


@pytest.mark.parametrize("kind", ["breadcrumbs", "spans"])
def test_own_requests_are_removed(kind: str) -> None:
    """The SDK's requests to Sentry and Spotlight are not sent, and queries of others neither."""
    scrubber = Scrubber(
        CONFIG
        | {
            "SENTRY_DSN": "http://public@sentry.example.org:9000/1",
            "SENTRY_SPOTLIGHT": "http://localhost:8969/stream",
        }
    )
    event: Any = {"spans": deepcopy(RECORDED), "breadcrumbs": {"values": deepcopy(RECORDED)}}
    scrubber.event(scrubber.transaction(event))
    left = event["breadcrumbs"]["values"] if kind == "breadcrumbs" else event["spans"]
    assert left == [{"data": {"url": "http://api.example.org/"}}, {"data": None}]
