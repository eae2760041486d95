"""What Sentry is started with, and how much it gets."""

import logging
import sqlite3
from typing import Any

import pytest
import sentry_sdk
from sqlalchemy.exc import IntegrityError, OperationalError

from app import create_app
from app.extensions import is_lost_database
from app.sentry import init_sentry, report_loss
from app.sentry.sampling import sampler
from tests.conftest import (
    DSN,
    SentryConfig,
    SpotlightConfig,
    TestConfig,
    config_class,
    sending_app,
    settings,
)


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the arguments of `sentry_sdk.init`, or nothing where it is not called."""
    options: dict[str, Any] = {}
    monkeypatch.setattr(sentry_sdk, "init", options.update)
    return options


def test_off_without_dsn(options: dict[str, Any]) -> None:
    """Without a DSN or a Spotlight, there is no Sentry."""
    init_sentry(settings(TestConfig))
    assert options == {}


def test_dsn_switches_on(options: dict[str, Any]) -> None:
    """With a DSN, Sentry gets it, the release and the environment."""
    init_sentry(settings(config_class(SentryConfig, SENTRY_RELEASE="app@1.2.3")))
    assert options["dsn"] == DSN
    assert (options["release"], options["environment"]) == ("app@1.2.3", "test")


def test_spotlight_needs_no_dsn(options: dict[str, Any]) -> None:
    """Spotlight alone is enough; the DSN is empty then, for None would read the environment."""
    init_sentry(settings(SpotlightConfig))
    assert (options["dsn"], options["spotlight"]) == ("", "http://127.0.0.1:9/stream")


def test_dsn_switches_no_spotlight_on(options: dict[str, Any]) -> None:
    """Without SENTRY_SPOTLIGHT, Spotlight is off."""
    init_sentry(settings(SentryConfig))
    assert options["spotlight"] is False


def test_spotlight_sees_no_person(options: dict[str, Any]) -> None:
    """What the SDK would collect in Spotlight by itself is switched off in so many words."""
    init_sentry(settings(SpotlightConfig))
    assert True not in options["data_collection"].values()


MalformedConfig = config_class(SENTRY_DSN="https://public@sentry.example.com")  # no project


@pytest.mark.parametrize("app", [MalformedConfig], indirect=True)
def test_malformed_dsn_keeps_app(client: Any) -> None:
    """A malformed DSN does not take the app down."""
    assert client.get("/auth/login").status_code == 200


def test_malformed_dsn_is_logged(options: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """It is one ERROR line without the DSN, and Sentry is off."""
    create_app(MalformedConfig)
    assert options == {}
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "public" not in caplog.text


FORGED = {
    "HTTP_SENTRY_TRACE": "0" * 32 + "-" + "1" * 16 + "-1",
    "HTTP_BAGGAGE": "sentry-sample_rand=0",
}


@pytest.mark.parametrize(
    ("path", "headers", "parent", "dice", "expected"),
    [
        ("/", {}, None, 0.9, 0.25),
        ("/user/susan", {}, None, 0.1, 0.25),
        ("/healthz", {}, None, 0.1, 0),
        ("/readyz", {}, None, 0.1, 0),
        ("/static/style.css", {}, None, 0.1, 0),
        ("/healthz", FORGED, True, 0.1, 0),
        ("/", FORGED, False, 0.1, 0),
        ("/", FORGED, None, 0.9, 0),
        ("/", FORGED, True, 0.9, 0),
        ("/", FORGED, True, 0.25, 0),
        ("/", FORGED, True, 0.1, 1),
    ],
)
def test_sampler(
    path: str,
    headers: dict[str, str],
    parent: bool | None,
    dice: float,
    expected: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody gets more than our share, health checks and files get none of it."""
    monkeypatch.setattr("random.random", lambda: dice)
    context = {"wsgi_environ": {"PATH_INFO": path} | headers, "parent_sampled": parent}
    assert sampler(0.25)(context) == expected


def test_sampler_outside_requests() -> None:
    """A transaction that is no request, such as a command's, is sampled at the rate."""
    assert sampler(0.25)({"parent_sampled": None}) == 0.25


def test_loss_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """The log names each reason for lost events once, however many are lost."""
    report_loss.cache_clear()
    for reason in ("queue_overflow", "network_error", "queue_overflow"):
        report_loss(reason)
    assert caplog.messages == [
        "Sentry events are being dropped (queue overflow).",
        "Sentry events are being dropped (network error).",
    ]


def test_refusing_host_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """After a failure to connect, the next event is dropped unsent: retries cost CPU."""
    report_loss.cache_clear()
    with sending_app("http://public@127.0.0.1:9/1"):
        for number in range(2):
            sentry_sdk.capture_message(f"Event {number}")
            sentry_sdk.flush(timeout=5)
    losses = [text for text in caplog.messages if "dropped" in text]
    assert losses == [
        "Sentry events are being dropped (network).",
        "Sentry events are being dropped (self rate limits).",
    ]


class DatabaseError(Exception):
    """A driver's error, with the state that PostgreSQL gave."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (OperationalError("", {}, DatabaseError(None)), True),
        (OperationalError("", {}, DatabaseError("08006")), True),
        (OperationalError("", {}, DatabaseError("57P01")), True),
        (OperationalError("", {}, DatabaseError("57014")), False),
        (OperationalError("", {}, sqlite3.OperationalError("no such column: a")), False),
        (OperationalError("", {}, sqlite3.OperationalError("database or disk is full")), False),
        (IntegrityError("", {}, DatabaseError("23505")), False),
        (None, False),
    ],
)
def test_database_is_lost(error: object, lost: bool) -> None:
    """A cancelled query is not a lost database, and neither is any error of SQLite."""
    assert is_lost_database(error) is lost
