"""Where an event is scrubbed, and what is left as it was."""

from copy import deepcopy
from typing import Any

import pytest
from flask import Flask
from sentry_sdk import Client

from app.sentry.private import remember_request
from app.sentry.scrubbing import DATA_COLLECTION, Scrubber, is_crash_line
from tests.conftest import TestConfig, settings

CONFIG = settings(TestConfig)
STOCK = "postgresql://app:w%40rehouse@stock/app"


def scrubbed(event: dict[str, Any], **config: Any) -> Any:
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


@pytest.mark.parametrize("config", [{"STOCK_URL": STOCK}, {"SQLALCHEMY_BINDS": {"stock": STOCK}}])
def test_password_of_own_url_is_blanked(config: dict[str, Any]) -> None:
    """The password in a URL is a secret, whatever an owner calls the setting."""
    assert scrubbed({"message": "for w@rehouse"}, **config) == {"message": "for [Filtered]"}


def test_only_the_id_of_a_user_is_sent() -> None:
    """Only the id of a user is sent, whatever else an owner sets."""
    assert scrubbed({"user": {"id": "7", "email": "a@b.c"}}) == {"user": {"id": "7"}}


def test_every_kind_of_data_is_decided() -> None:
    """DATA_COLLECTION names every kind of data, because the SDK collects what is omitted."""
    kinds = Client(data_collection={}).options["data_collection"].keys()
    assert kinds - {"provided_by_user", "frame_context_lines"} == DATA_COLLECTION.keys()


@pytest.mark.parametrize(
    "crumb",
    [
        {"data": "of 3"},
        {"data": ["of", 3]},
        {"category": "query"},
        {"category": "query", "message": None},
    ],
)
def test_any_breadcrumb_is_scrubbed(crumb: dict[str, Any]) -> None:
    """A breadcrumb of an owner may have any form, and the crash is sent with it."""
    assert len(scrubbed({"breadcrumbs": {"values": [crumb]}})["breadcrumbs"]["values"]) == 1


@pytest.mark.parametrize("op", ["db.search", "http.client", "own"])
def test_own_span_is_scrubbed(op: str) -> None:
    """Texts of the request are removed from an owner's span, whatever its operation is."""
    span: Any = {
        "op": op,
        "origin": "manual",
        "description": "my secret",
        "data": {"q": "my secret"},
    }
    with Flask(__name__).test_request_context("/?q=my+secret"):
        remember_request(None)
    sent = Scrubber(CONFIG).transaction({"spans": [span]})
    assert "my secret" not in str(sent)


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
