"""Secrets planted wherever an app has some, and a crash among them: none may leave."""

import base64
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import sentry_sdk
from flask import Flask, g, request, session
from flask.testing import FlaskClient
from flask_login import current_user
from sqlalchemy import text

from app.extensions import db
from app.models import User
from tests.conftest import (
    DSN,
    QUICK_HASH,
    AuthActions,
    Blog,
    KeepingTransport,
    Sentry,
    SentryConfig,
    config_class,
)

PLANTED = {
    place: f"planted-{place}"
    for place in (
        "about-me",
        "api-key",
        "argv",
        "basic-password",
        "basic-user",
        "body-post",
        "breadcrumb",
        "cause",
        "cookie",
        "csrf-header",
        "csrf-token",
        "database",
        "dictionary",
        "extra",
        "form-field",
        "g",
        "local-variable",
        "log-argument",
        "message",
        "note",
        "password",
        "path",
        "query-next",
        "query-token",
        "referer",
        "referer-token",
        "remember-token",
        "session",
        "sql-parameter",
        "username",
    )
} | {
    "address": "203.0.113.77",
    "email": "planted@mail.example.org",
    "secret-key": "planted-secret-key-of-thirty-two-characters",
    "typed-email": "typed@mail.example.org",
}

NEVER_TYPED = {
    "argv",
    "csrf-header",
    "dictionary",
    "g",
    "local-variable",
    "session",
    "sql-parameter",
}


PlantedConfig = config_class(SentryConfig, SECRET_KEY=PLANTED["secret-key"])


@pytest.fixture(scope="session")
def plain_of_session() -> Iterator[Sentry]:
    """Return a Sentry with a plain `sentry_sdk.init(dsn)`."""
    sentry_sdk.init(DSN, transport=KeepingTransport)
    plain = Sentry(sentry_sdk.get_client())
    yield plain
    plain.client.close()


@pytest.fixture
def plain(plain_of_session: Sentry) -> Iterator[Sentry]:
    """Return the plain Sentry, switched on for one test."""
    yield from plain_of_session.receives()


def crash(path: str) -> str:
    """Break in a view that has every secret in scope, and quote many of them."""
    form, log = request.form, logging.getLogger("app.planted")
    local_variable = PLANTED["local-variable"]
    g.planted = {"dictionary": PLANTED["dictionary"], "g": PLANTED["g"]}
    session["note"] = PLANTED["session"]
    log.info("Seen %s of %s", form["breadcrumb"], current_user.email)
    log.warning("Typed %s", form["log-argument"], extra={"planted": form["extra"]})
    log.error("Refused %s", form["log-argument"])
    sentry_sdk.capture_message(f"Seen {form['message']} from {request.remote_addr}")
    try:
        db.session.execute(
            text("SELECT :planted FROM nowhere"), {"planted": PLANTED["sql-parameter"]}
        )
    except Exception as error:
        error.add_note(f"asked for {form['note']}")
        secrets = (form["cause"], path, request.cookies["session"])
        raise ValueError(
            f"{form['message']} {form['typed-email']} {current_user.username} {secrets} "
            f"{PLANTED['secret-key']} password={PLANTED['database']} {request.url} "
            f"{request.authorization and request.authorization.password} {request.headers}"
        ) from error
    return local_variable


@pytest.fixture
def planted(app: Flask, blog: Blog, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that crashes among the secrets."""
    monkeypatch.setattr(sys, "argv", ["flask", "set-password", "--password", PLANTED["argv"]])
    app.config["SQLALCHEMY_DATABASE_URI"] = f"postgresql://app:{PLANTED['database']}@db/app"
    app.add_url_rule("/reset/<path>", view_func=crash, methods=["POST"])
    blog.add(
        User(
            username=PLANTED["username"],
            email=PLANTED["email"],
            password_hash=QUICK_HASH,
            about_me=PLANTED["about-me"],
        )
    )
    AuthActions(client).login(PLANTED["username"])

    form = {place: secret for place, secret in PLANTED.items() if place not in NEVER_TYPED}

    def send() -> None:
        client.set_cookie("remember_token", PLANTED["remember-token"])
        client.set_cookie("cookie", PLANTED["cookie"])
        basic = f"{PLANTED['basic-user']}:{PLANTED['basic-password']}".encode()
        response = client.post(
            f"/reset/{PLANTED['path']}?token={PLANTED['query-token']}&next={PLANTED['query-next']}",
            data={**form, "csrf_token": PLANTED["csrf-token"]},
            headers={
                "Authorization": f"Basic {base64.b64encode(basic).decode()}",
                "Referer": f"http://localhost/{PLANTED['referer']}?t={PLANTED['referer-token']}",
                "X-Api-Key": PLANTED["api-key"],
                "X-CSRFToken": PLANTED["csrf-header"],
            },
            environ_base={"REMOTE_ADDR": PLANTED["address"]},
        )
        assert response.status_code == 500

    return send


def leaks(sentry: Sentry) -> list[str]:
    """Return the places whose secrets are in anything that was sent."""
    assert sentry.items("event")
    return [place for place, secret in PLANTED.items() if secret in sentry.raw()]


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("app", [PlantedConfig], indirect=True)
def test_nothing_planted_leaves(planted: Any, anywhere: Sentry) -> None:
    """Of all secrets, not one is in an event, a transaction, a session or a log line."""
    planted()
    assert leaks(anywhere) == []


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("app", [PlantedConfig], indirect=True)
def test_plain_init_sends_planted(planted: Any, plain: Sentry) -> None:
    """The same crash tells Sentry a lot where nobody sees to it; -s prints the numbers."""
    planted()
    print(f"A plain sentry_sdk.init sends {len(leaks(plain))} of {len(PLANTED)} secrets")
    assert leaks(plain)
