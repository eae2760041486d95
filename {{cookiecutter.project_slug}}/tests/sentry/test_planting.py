"""Secrets planted in one place each, and crashes that quote them everywhere: none may be sent."""

import logging
import socket
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from http.client import HTTPConnection
from threading import Thread
from typing import Any, NoReturn

import pytest
import sentry_sdk
from flask import Flask, g, request, session
from flask.testing import FlaskClient
from flask_login import current_user
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry
from sentry_sdk.integrations.logging import LoggingIntegration
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.auth.models import User
from app.extensions import db
from tests.conftest import DSN, QUICK_HASH, AuthActions, Database, KeepingTransport, Sentry

# Each is planted in exactly one place. Otherwise, blanking it as a value of one place would hide
# that it is not blanked as a value of another one.
PLANTED = {
    place: f"planted-{place}"
    for place in (
        "api-key",
        "argv",
        "basic-password",
        "basic-user",
        "bearer-token",
        "cookie",
        "database-password",
        "dictionary",
        "form-field",
        "g",
        "local-variable",
        "outgoing-query",
        "own-token",
        "query",
        "redis-key",
        "redis-password",
        "referer",
        "session",
        "span",
        "sql-literal",
        "sql-parameter",
        "thread",
        "unknown-path",
        "username",
        "view-argument",
    )
} | {
    "address": "203.0.113.77",
    "email": "planted@mail.example.org",
    "escaped-query": "planted%2Descaped%2Dquery",
    "password-hash": QUICK_HASH,
    "secret-key": "planted-secret-key-of-thirty-two-characters",
    "typed-email": "typed@mail.example.org",
}


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """Return an app to which each test adds routes."""
    return own_app


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sentry]:
    """Return a Sentry with a plain `sentry_sdk.init(dsn)`, switched on for one test."""
    monkeypatch.setattr(LoggingIntegration, "capture_sentry_logs", False)  # `init` sets it for all
    sentry_sdk.init(DSN, transport=KeepingTransport)
    plain = Sentry(sentry_sdk.get_client())
    yield from plain.receives()
    plain.client.close()


def quote(*values: object) -> NoReturn:
    """Quote `values` in everything that an app can send, last in an error."""
    quoted, log = " ".join(map(str, values)), logging.getLogger("app.planted")
    log.info("Seen %s", quoted, extra={"planted": {"seen": quoted}})
    log.warning("Typed %s", quoted, extra={"planted": quoted})
    log.error("Refused %s", quoted)
    sentry_sdk.capture_message(quoted)
    error = ValueError(quoted)
    error.add_note(quoted)
    raise error from KeyError(quoted)


def crash_in_view(argument: str) -> NoReturn:
    """Break in a view, and quote what only a request to a route has."""
    use_secrets()
    task = f"for {request.form['span']} of {current_user.username}"
    with sentry_sdk.start_span(op="task", name=task):
        db.session.execute(text(f"SELECT '{PLANTED['sql-literal']}'"))
    thread = Thread(target=crash_in_thread, args=[request.form["thread"]])
    thread.start()
    thread.join()
    assert request.authorization
    values = (
        argument,
        request.args["query"],
        request.query_string.decode(),
        request.form["form-field"],
        request.cookies["cookie"],
        request.headers["X-Api-Key"],
        request.headers["Referer"],
        request.authorization.username,
        request.authorization.password,
        request.remote_addr,
        session["note"],
        current_user.username,
        current_user.email,
        current_user.password_hash,
        PLANTED["typed-email"],
        PLANTED["secret-key"],
        PLANTED["database-password"],
        PLANTED["redis-password"],
        PLANTED["own-token"],
    )
    db.session.rollback()  # which empties the row of the user
    quote(*values)


def crash_in_thread(value: str) -> None:
    """Break in a thread, which has no request, and quote what it was given."""
    try:
        raise ValueError(value)
    except ValueError:
        sentry_sdk.capture_exception()


def use_secrets() -> None:
    """Use secrets that nothing quotes, but that the SDK could record."""
    local_variable = PLANTED["local-variable"]
    g.planted = {"dictionary": PLANTED["dictionary"], "g": PLANTED["g"]}
    with suppress(RedisConnectionError):
        Redis(port=1, retry=Retry(NoBackoff(), 0)).get(PLANTED["redis-key"])
    near, far = socket.socketpair()
    with closing(HTTPConnection("api.example.org")) as api, near, far:
        far.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
        api.sock = near
        api.request("GET", f"/?key={PLANTED['outgoing-query']}")
        api.getresponse().close()
    try:
        db.session.execute(text("SELECT :a FROM nowhere"), {"a": PLANTED["sql-parameter"]})
    except OperationalError:
        logging.getLogger("app.planted").exception("%d secrets", len([local_variable]))


def crash_at_unknown_path() -> None:
    """Break before a path that no route has gets its response."""
    if not request.url_rule:
        quote(request.path, request.headers["Authorization"].split()[1])


@pytest.fixture
def planted(
    app: Flask,
    database: Database,
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Any:
    """Return a function that crashes among the secrets."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(sys, "argv", ["flask", "set-password", "--password", PLANTED["argv"]])
    app.add_url_rule("/reset/<argument>", view_func=crash_in_view, methods=["POST"])
    app.before_request(crash_at_unknown_path)
    user = {"username": PLANTED["username"], "email": PLANTED["email"]}
    database.add(User(**user, password_hash=QUICK_HASH))
    AuthActions(client).login(PLANTED["username"])
    with client.session_transaction() as browser:
        browser["note"] = PLANTED["session"]

    def send() -> None:
        client.set_cookie("cookie", PLANTED["cookie"])
        query = f"query={PLANTED['query']}&escaped={PLANTED['escaped-query']}"
        crashed = client.post(
            f"/reset/{PLANTED['view-argument']}?{query}",
            data={name: PLANTED[name] for name in ("form-field", "span", "thread")},
            auth=(PLANTED["basic-user"], PLANTED["basic-password"]),
            headers={
                "Referer": f"http://localhost/{PLANTED['referer']}",
                "X-Api-Key": PLANTED["api-key"],
            },
            environ_base={"REMOTE_ADDR": PLANTED["address"]},
        )
        bearer = {"Authorization": f"Bearer {PLANTED['bearer-token']}"}
        unknown = client.get(f"/{PLANTED['unknown-path']}", headers=bearer)
        assert (crashed.status_code, unknown.status_code) == (500, 500)

    return send


def leaks(sentry: Sentry) -> list[str]:
    """Return the places whose secrets are in anything that was sent."""
    sent = sentry.raw()
    return [place for place, secret in PLANTED.items() if secret in sent]


@pytest.mark.usefixtures("production")
def test_nothing_planted_leaves(planted: Any, anywhere: Sentry) -> None:
    """No secret is in an event, a transaction, a session or a log line."""
    planted()
    assert leaks(anywhere) == []


@pytest.mark.usefixtures("production")
def test_planted_crashes_arrive(planted: Any, anywhere: Sentry) -> None:
    """All that quotes the secrets is sent. Otherwise, the test above would prove nothing."""
    planted()
    assert [len(anywhere.items(kind)) for kind in ("event", "transaction")] == [8, 2]
    lines = [line["body"] for batch in anywhere.items("log") for line in batch["items"]]
    assert [line.split()[0] for line in lines] == ["1", "Typed", "Refused", "Typed", "Refused"]


@pytest.mark.usefixtures("production")
def test_plain_init_sends_planted(planted: Any, plain: Sentry) -> None:
    """A plain `sentry_sdk.init` sends many of the secrets. With `-s`, pytest shows how many."""
    planted()
    print(f"A plain sentry_sdk.init sends {len(leaks(plain))} of {len(PLANTED)} secrets")
    assert leaks(plain)


def inverse(number: int, name: str) -> str:
    """Crash if the number is 0."""
    return str(1 / number)


@pytest.mark.usefixtures("production")
def test_paths_stay(app: Flask, client: FlaskClient, anywhere: Sentry) -> None:
    """No path is in anything that is sent, whether its page works, is missing or crashes."""
    app.add_url_rule("/inverse/<int:number>/<name>", view_func=inverse)
    client.get("/inverse/1/planted")
    client.get("/reset/planted")
    assert client.get("/inverse/0/planted").status_code == 500
    assert anywhere.items("event")
    assert "planted" not in anywhere.raw()
