"""The command flask sentry-test."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from click.testing import Result
from flask import Flask
from sentry_sdk.envelope import Envelope
from sentry_sdk.utils import Dsn

from app import create_app
from app.sentry.commands import location_of
from tests.conftest import DSN, Sentry, config_class, sending_app


@pytest.mark.parametrize(
    ("dsn", "reason"), [("", "DSN is not set"), ("https://no.dsn", "DSN is not valid")]
)
def test_sentry_test_without_dsn(dsn: str, reason: str) -> None:
    """Without a valid DSN, sentry-test says so and fails."""
    app = create_app(config_class(SENTRY_DSN=dsn))
    result = app.test_cli_runner().invoke(args=["sentry-test"])
    assert result.exit_code == 1
    assert reason in result.output


def test_sentry_test_is_refused(
    app: Flask, sentry: Sentry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Sentry refuses the event, sentry-test fails with the reason."""

    def refuse(envelope: Envelope) -> None:
        sentry.client.transport.on_dropped_event("status_403")

    app.config["SENTRY_DSN"] = DSN
    monkeypatch.setattr(sentry.client.transport, "capture_envelope", refuse)
    result = app.test_cli_runner().invoke(args=["sentry-test"])
    assert result.exit_code == 1
    assert "does not know the key" in result.output


class Ingest(BaseHTTPRequestHandler):
    """Accepts everything, as Sentry does."""

    def do_POST(self) -> None:
        """Accept an envelope."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


@pytest.fixture
def ingest() -> Iterator[int]:
    """Return the port of a server like Sentry."""
    with HTTPServer(("127.0.0.1", 0), Ingest) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server.server_port
        server.shutdown()


def sentry_test(port: int, **variables: str) -> Result:
    """Run `flask sentry-test` with a DSN at `port`."""
    with sending_app(f"http://public@127.0.0.1:{port}/42", **variables) as app:
        return app.test_cli_runner().invoke(args=["sentry-test"])


def test_sentry_test_arrives(ingest: int) -> None:
    """Where Sentry accepts the event, sentry-test prints its id."""
    result = sentry_test(ingest)
    assert result.exit_code == 0
    assert re.search("Event +[0-9a-f]{32} has arrived", result.output)


def test_sentry_test_prints_settings(ingest: int) -> None:
    """sentry-test prints the project, the release and the share of traces."""
    output = sentry_test(ingest, SENTRY_TRACES_SAMPLE_RATE="0.25", SENTRY_RELEASE="a@1").output
    lines = dict(re.split("  +", line, maxsplit=1) for line in output.splitlines())
    assert lines["Project"] == f"42 at 127.0.0.1:{ingest}, self-hosted"
    assert (lines["Release"], lines["Traces"]) == ("a@1", "25 % of the requests")


def test_sentry_test_finds_faults(ingest: int) -> None:
    """A setting of Sentry's that was replaced by its default fails the test."""
    result = sentry_test(ingest, SENTRY_ENVIRONMENT="a/b")
    assert result.exit_code == 1
    assert "Error: SENTRY_ENVIRONMENT is not valid" in result.output


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("o1.ingest.sentry.io", "Sentry's cloud, region us"),
        ("o1.ingest.de.sentry.io", "Sentry's cloud, region de"),
        ("sentry.example.com", "self-hosted"),
    ],
)
def test_location_of_dsn(host: str, place: str) -> None:
    """The host of a DSN tells the region of Sentry's cloud."""
    assert location_of(Dsn(f"https://public@{host}/1")) == place


def test_sentry_test_without_response() -> None:
    """Where the host does not respond, sentry-test fails and says so."""
    result = sentry_test(port=9)
    assert result.exit_code == 1
    assert "does not respond" in result.output
