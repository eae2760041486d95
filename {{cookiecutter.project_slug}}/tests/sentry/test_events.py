"""What is sent to Sentry, and what is not."""

import logging
import re
from collections.abc import Iterator
from typing import Any, NoReturn

import psycopg
import pytest
import sentry_sdk
from flask import Flask, request_tearing_down
from flask.testing import FlaskClient
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.utils import Dsn
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import create_app
from app.config import RELEASE
from app.extensions import db
from app.logs import trace_formatter
from app.sentry.sampling import sampler
from tests.conftest import CsrfConfig, Sentry, SentryConfig, config_class

PARENT = "0123456789abcdef0123456789abcdef-0123456789abcdef"


pytestmark = pytest.mark.usefixtures("production")


@pytest.fixture
def crash(client: FlaskClient, sentry: Sentry) -> Any:
    """Return the event of a crash."""
    client.get("/broken_route")
    (event,) = sentry.items("event")
    return event


def test_crash_is_one_event(client: FlaskClient, sentry: Sentry) -> None:
    """A crash is reported once, though the log tells of it too."""
    client.get("/broken_route")
    assert len(sentry.items("event")) == 1


def test_crash_names_error(crash: Any) -> None:
    """The event says what broke."""
    assert crash["exception"]["values"][-1]["type"] == "ZeroDivisionError"


def test_crash_names_place(crash: Any) -> None:
    """The innermost frame is in the file that the owner has to open."""
    frame = crash["exception"]["values"][-1]["stacktrace"]["frames"][-1]
    assert (frame["filename"], frame["function"]) == ("app/main/routes.py", "broken_route")


def test_crash_names_route(crash: Any) -> None:
    """The transaction is the route's rule."""
    assert crash["transaction"] == "/broken_route"


def test_crash_names_version(crash: Any) -> None:
    """The event says which release broke, and where it runs."""
    assert crash["release"] == RELEASE
    assert crash["environment"] == "test"


def test_crash_names_request(crash: Any) -> None:
    """The event contains the method, the URL and the headers of the request."""
    assert crash["request"].keys() == {"method", "url", "headers"}
    assert crash["request"]["url"] == "http://localhost/broken_route"


def test_harmless_headers_are_sent(client: FlaskClient, sentry: Sentry) -> None:
    """No header about a person is sent."""
    names = ("Authorization", "Referer", "X-Forwarded-Host", "X-Real-Ip")
    harmless = ("Accept", "Content-Type", "User-Agent")
    client.set_cookie("name", "value")
    client.get("/broken_route", headers=dict.fromkeys((*names, *harmless), "1"))
    (event,) = sentry.items("event")
    assert event["request"]["headers"].keys() == {*harmless, "Host"}


ODD = (
    *("[", "]", "[::1", "[::1]:x", ":", "a b", "/", "\\", "@", "%", "%ff", "?#", "\xe9", "\0"),
    *(
        "Basic",
        "Basic //8=",
        "Basic =",
        "Bearer",
        'Digest a="',
        "=;=",
        ",,,",
        "-1",
        "nan",
        "00-0-0",
    ),
    *(
        "sentry-trace_id=",
        "sentry-sample_rand=x",
        "application/json; charset=x",
        "multipart/form-data",
    ),
)


@pytest.mark.parametrize(
    "name",
    [
        *("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_AUTHORIZATION", "HTTP_BAGGAGE", "HTTP_COOKIE"),
        *("HTTP_HOST", "HTTP_SENTRY_TRACE", "HTTP_X_FORWARDED_FOR", "QUERY_STRING", "REMOTE_ADDR"),
    ],
)
def test_request_hides_no_crash(client: FlaskClient, sentry: Sentry, name: str) -> None:
    """A crash is sent, whatever its request contains."""
    hidden = []
    for value in ODD:
        client.get("/broken_route", environ_overrides={name: value})
        if len(sentry.items("event")) != 1:
            hidden.append(value)
        sentry.kept.envelopes.clear()
    assert hidden == []


def test_large_form_is_event(client: FlaskClient, sentry: Sentry) -> None:
    """A crash is sent although the request has a form that is too large to be read."""
    kind = "application/x-www-form-urlencoded"
    client.get("/broken_route", data="a=" + "x" * 70_000, content_type=kind)
    assert len(sentry.items("event")) == 1


def test_unusable_host_is_no_event(client: FlaskClient, sentry: Sentry) -> None:
    """A Host header that is too long for a host name is refused. It makes no event."""
    assert client.get("/auth/login", headers={"Host": "x" * 300}).status_code == 400
    assert sentry.items("event") == []


def test_message_is_event(sentry: Sentry) -> None:
    """A message outside of a request, such as a command's, is sent."""
    sentry_sdk.capture_message("Hello")
    assert len(sentry.items("event")) == 1


def test_query_outside_request_is_not_sent(app: Flask, anywhere: Sentry) -> None:
    """A query of a command or of a thread sends nothing by itself."""
    with app.app_context():
        db.session.execute(text("SELECT 1"))
    assert anywhere.raw() == ""


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sentry]:
    """Return a Sentry without traces and logs, whose SDK has other defaults, as version 3 has."""
    monkeypatch.setattr(LoggingIntegration, "capture_sentry_logs", None)  # `init` sets it for all
    monkeypatch.setattr(LoggingIntegration.__init__, "__defaults__", (None,) * 4)
    create_app(config_class(SentryConfig, SENTRY_TRACES_SAMPLE_RATE="0", SENTRY_LOGS="0"))
    quiet = Sentry(sentry_sdk.get_client())
    yield from quiet.receives()
    quiet.client.close()


def test_stranger_starts_no_trace(client: FlaskClient, quiet: Sentry) -> None:
    """At rate 0, a request that claims to be sampled sends neither a transaction nor a span."""
    client.get("/auth/login", headers={"sentry-trace": f"{PARENT}-1"})
    assert quiet.items("transaction") + quiet.items("span") == []


def test_logged_error_is_event(quiet: Sentry) -> None:
    """A line at ERROR is one event."""
    logging.getLogger("app").error("Broken")
    assert len(quiet.items("event")) == 1


def test_logged_line_is_breadcrumb(quiet: Sentry, caplog: pytest.LogCaptureFixture) -> None:
    """A line from INFO up is a breadcrumb of the events after it."""
    caplog.set_level(logging.INFO)
    logging.getLogger("app").info("Before")
    sentry_sdk.capture_message("Broken")
    (event,) = quiet.items("event")
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == ["Before"]


def test_release_is_tag(quiet: Sentry) -> None:
    """The release is a tag too, because Spotlight shows it nowhere else."""
    sentry_sdk.capture_message("Hello")
    (event,) = quiet.items("event")
    assert event["tags"]["release"] == RELEASE


def test_logs_are_off(quiet: Sentry) -> None:
    """Without SENTRY_LOGS, no log line is sent."""
    logging.getLogger("app").error("Broken")
    assert quiet.items("log") == []


def test_warning_is_log(anywhere: Sentry, caplog: pytest.LogCaptureFixture) -> None:
    """With SENTRY_LOGS, lines from WARNING up are sent."""
    caplog.set_level(logging.INFO)
    logging.getLogger("app").info("All is well")
    logging.getLogger("app").warning("Odd")
    (batch,) = anywhere.items("log")
    assert [line["body"] for line in batch["items"]] == ["Odd"]


@pytest.mark.parametrize("name", ["gunicorn.access", "werkzeug"])
def test_requests_in_log_are_not_sent(anywhere: Sentry, name: str) -> None:
    """Lines about requests, which contain URLs with queries, are neither events nor logs."""
    logging.getLogger(name).error("GET /?token=secret")
    assert anywhere.raw() == ""


def test_malformed_request_is_no_log(anywhere: Sentry) -> None:
    """The server's lines about malformed requests, which contain IP addresses, are not sent."""
    logging.getLogger("gunicorn.error").warning("Invalid request from ip=203.0.113.7")
    assert anywhere.raw() == ""


def test_killed_worker_is_event(sentry: Sentry) -> None:
    """The server's lines about its workers are events."""
    logging.getLogger("gunicorn.error").critical("WORKER TIMEOUT (pid:7)")
    assert len(sentry.items("event")) == 1


def test_crash_line_is_not_sent(client: FlaskClient, sentry: Sentry) -> None:
    """Flask's log line of a crash, which contains the path, is neither a breadcrumb nor a log."""

    def send_event(_: Flask, **__: object) -> None:
        sentry_sdk.capture_message("later")

    with request_tearing_down.connected_to(send_event):
        client.get("/broken_route")
    assert len(sentry.items("event")) == 2
    assert "Exception on" not in sentry.raw()


def test_page_shows_event_id(client: FlaskClient, sentry: Sentry) -> None:
    """The page of a crash shows the id of the event."""
    page = client.get("/broken_route").text
    assert re.findall('class="event-id">([0-9a-f]{32})<', page) == [
        sentry.items("event")[0]["event_id"]
    ]


@pytest.mark.parametrize(
    ("path", "status"), [("/missing", 404), ("/account/nobody", 404), ("/auth/logout", 405)]
)
def test_refusal_is_no_event(client: FlaskClient, sentry: Sentry, path: str, status: int) -> None:
    """A request that is refused makes no event."""
    assert client.get(path).status_code == status
    assert sentry.items("event") == []


@pytest.mark.usefixtures("susan")
def test_request_is_transaction(client: FlaskClient, sentry: Sentry) -> None:
    """A request is a transaction under its route's rule, with its queries as spans."""
    client.get("/account")
    (transaction,) = sentry.items("transaction")
    assert transaction["transaction"] == "/account"
    assert "db" in {span["op"] for span in transaction["spans"]}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/style.css", "/static/missing"])
def test_noise_is_dropped(client: FlaskClient, anywhere: Sentry, path: str) -> None:
    """Health checks and files are never traced, not even for Spotlight."""
    client.get("/auth/login")
    client.get(path, buffered=True)
    assert [event["transaction"] for event in anywhere.items("transaction")] == ["/auth/login"]


@pytest.mark.parametrize(("decision", "traced"), [("0", 0), ("1", 1)])
def test_parent_may_refuse(client: FlaskClient, sentry: Sentry, decision: str, traced: int) -> None:
    """A request whose parent was not sampled is not either."""
    client.get("/auth/login", headers={"sentry-trace": f"{PARENT}-{decision}"})
    assert len(sentry.items("transaction")) == traced


@pytest.mark.parametrize("host", ["o1.ingest.sentry.io", "sentry.example.com"])
@pytest.mark.parametrize("org", ["sentry-org_id=1,", "sentry-org_id=2,", ""])
@pytest.mark.parametrize("flag", ["-1", ""])
def test_stranger_cannot_raise_bill(
    client: FlaskClient,
    sentry: Sentry,
    monkeypatch: pytest.MonkeyPatch,
    host: str,
    org: str,
    flag: str,
) -> None:
    """Forged headers lift no request above the rate, whoever's DSN it is."""
    monkeypatch.setitem(sentry.client.options, "traces_sampler", sampler(1e-9))
    monkeypatch.setattr(sentry.client.transport, "parsed_dsn", Dsn(f"https://public@{host}/1"))
    baggage = f"{org}sentry-trace_id={PARENT[:32]},sentry-sample_rand=0.000000,sentry-sampled=true"
    headers = {"sentry-trace": PARENT + flag, "baggage": baggage + ",sentry-sample_rate=1"}
    for _ in range(10):
        client.get("/auth/login", headers=headers)
    assert sentry.items("transaction") == []


def test_response_names_trace(client: FlaskClient, sentry: Sentry) -> None:
    """A response has the id of its trace in Sentry, so that a person's report leads to it."""
    trace = client.get("/broken_route").headers["X-Trace-Id"]
    (event,) = sentry.items("event")
    assert event["contexts"]["trace"]["trace_id"] == trace


def test_log_line_names_trace(client: FlaskClient, sentry: Sentry) -> None:
    """Each log line of a request has its trace and the release."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(formatter.format(record))  # type: ignore[method-assign]
    formatter = trace_formatter(RELEASE)
    logging.getLogger("app").addHandler(handler)
    trace = client.get("/broken_route").headers["X-Trace-Id"]
    logging.getLogger("app").removeHandler(handler)
    assert f"[{RELEASE} {trace}]" in lines[0]


def test_no_trace_without_sentry(client: FlaskClient) -> None:
    """While Sentry is off, responses have no trace id."""
    assert "X-Trace-Id" not in client.get("/auth/login").headers


@pytest.mark.parametrize("reason", ["server closed the connection", "could not connect"])
def test_lost_database_is_one_issue(
    client: FlaskClient, sentry: Sentry, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """All errors of a lost database are one issue, whatever their messages."""

    def lose(*_: object) -> NoReturn:
        raise OperationalError("SELECT", {}, psycopg.OperationalError(reason))

    monkeypatch.setattr("app.auth.service.authenticate", lose)
    client.post("/auth/login", data={"username": "susan", "password": "secret"})
    (event,) = sentry.items("event")
    assert event["fingerprint"] == ["database"]


def test_requests_are_sessions(client: FlaskClient, sentry: Sentry) -> None:
    """Release health counts the requests that went well and those that crashed."""
    client.get("/auth/login")
    client.get("/broken_route")
    buckets = [bucket for item in sentry.items("sessions") for bucket in item["aggregates"]]
    assert sum(bucket.get("exited", 0) for bucket in buckets) == 1
    assert sum(bucket.get("crashed", 0) for bucket in buckets) == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/style.css", "/static/missing"])
def test_noise_is_no_session(client: FlaskClient, sentry: Sentry, path: str) -> None:
    """Health checks and static files are not counted: they would hide the crashes of people."""
    client.get(path, buffered=True)
    assert sentry.items("sessions") == []


def test_user_is_number(client: FlaskClient, sentry: Sentry, susan: int) -> None:
    """Sentry gets the numeric id of a user, and nothing else of the person."""
    client.get("/broken_route")
    (event,) = sentry.items("event")
    assert event["user"] == {"id": str(susan)}


def broken_authenticate(username: str, password: str) -> NoReturn:
    """Break as a database does, with what was typed as parameters of the query."""
    logging.getLogger("app").warning("About to break")
    db.session.execute(text("SELECT :username, :password FROM nowhere"), locals())
    raise AssertionError("nowhere is a table")


@pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
def test_secrets_stay(
    client: FlaskClient, anywhere: Sentry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a log-in crashes, nothing that was typed or sent with it is in any item."""
    monkeypatch.setattr("app.auth.service.authenticate", broken_authenticate)
    token = re.findall('name="csrf_token"[^>]* value="([^"]+)"', client.get("/auth/login").text)[0]
    session = client.get_cookie(client.application.config["SESSION_COOKIE_NAME"])
    assert session
    client.set_cookie("remember_token", "planted-remember-token")
    response = client.post(
        "/auth/login?next=/account/planted-next&token=planted-query",
        data={"username": "planted-name", "password": "planted-password", "csrf_token": token},
        headers={
            "Authorization": "Bearer planted-authorization",
            "Referer": "http://localhost/planted-referer?token=planted-too",
            "X-Forwarded-For": "planted-address",
        },
    )
    assert response.status_code == 500
    kinds = ("event", "transaction", "log", "sessions")
    assert [kind for kind in kinds if not anywhere.items(kind)] == []
    assert [s for s in ("planted", token, session.value) if s in anywhere.raw()] == []
