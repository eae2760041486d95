"""The pages for what goes wrong, and the headers of every response."""

import re
from typing import Any, ClassVar

import psycopg
import pytest
from flask import Flask, abort, redirect
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader
from markupsafe import escape
from psycopg.errors import LockNotAvailable, ReadOnlySqlTransaction
from sqlalchemy.exc import DBAPIError
from werkzeug.exceptions import HTTPException, default_exceptions
from werkzeug.test import create_environ, run_wsgi_app

from app import create_app
from app.extensions import db
from tests.conftest import DSN, AuthActions, CsrfConfig, Database, config_class

pytestmark = pytest.mark.usefixtures("production")

REDIRECT = redirect("/").status_code  # 302, and 303 from Flask 3.2 on


def test_missing_page(client: FlaskClient, app: Flask) -> None:
    """The page for a URL that does not exist has the style of the site."""
    response = client.get("/missing")
    assert response.status_code == 404
    assert "/static/style.css" in response.text


def test_crash_without_sentry(client: FlaskClient) -> None:
    """A crash that nobody was told of shows no number to quote."""
    response = client.get("/broken_route")
    assert response.status_code == 500
    assert not re.search("[0-9a-f]{32}", response.text)


def test_crash_tells_nothing(client: FlaskClient) -> None:
    """The page of a crash does not say what broke."""
    assert "ZeroDivisionError" not in client.get("/broken_route").text


@pytest.mark.parametrize(
    ("setting", "value", "text"),
    [
        ("SENTRY_DSN", "", "Sentry is off"),
        ("SENTRY_DSN", DSN, "Sentry has it"),
        ("SENTRY_SPOTLIGHT", "http://spotlight:8970/stream", "http://127.0.0.1:8970/telemetry/"),
    ],
)
def test_crash_says_where_it_went(
    app: Flask, client: FlaskClient, setting: str, value: str, text: str
) -> None:
    """While BROKEN_ROUTE is on, the page of a crash says where to find the error."""
    app.config[setting] = value
    assert text in client.get("/broken_route").text


def test_crash_for_visitors(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where BROKEN_ROUTE is off, the page of a crash does not speak of Sentry."""
    monkeypatch.setitem(app.view_functions, "auth.login", lambda: 1 / 0)
    app.config["BROKEN_ROUTE"] = False
    response = client.get("/auth/login")
    assert (response.status_code, "Sentry" in response.text) == (500, False)


@pytest.mark.usefixtures("susan")
def test_crash_of_database(app: Flask, client: FlaskClient) -> None:
    """The page of a crash needs no database, even for a user who is logged in."""
    with app.app_context():
        db.drop_all()
    response = client.get("/")
    assert response.status_code == 500
    assert "/static/style.css" in response.text


@pytest.mark.parametrize("error", [LockNotAvailable, ReadOnlySqlTransaction])
def test_busy_database(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """A page that waited too long for a lock, or wrote to a read-only database, asks to retry."""

    def wait() -> None:
        raise DBAPIError.instance("", {}, error(), psycopg.Error)

    monkeypatch.setitem(app.view_functions, "auth.login", wait)
    response = client.get("/auth/login")
    assert (response.status_code, "Busy" in response.text) == (503, True)


def test_crash_with_own_piece(own_app: Flask) -> None:
    """A piece of an owner that asks who is logged in does not spoil the page of a crash."""
    env: Any = own_app.jinja_env
    begin, end = env.variable_start_string, env.variable_end_string
    own = {"own/head.html": f"logged in: {begin} current_user.is_authenticated {end}"}
    env.loader = ChoiceLoader([env.loader, DictLoader(own)])
    own_app.config["PROPAGATE_EXCEPTIONS"] = False
    assert "logged in: False" in own_app.test_client().get("/broken_route").text


@pytest.mark.usefixtures("susan")
def test_connection_lost_at_the_end(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that is lost after the last query of a page does not spoil the page."""
    with app.app_context():
        dialect = db.engine.dialect
    monkeypatch.setattr(dialect, "is_disconnect", lambda *_: True)
    monkeypatch.setattr(dialect, "do_rollback", lambda connection: connection.execute("LOST"))
    assert client.get("/account").status_code == 200


@pytest.mark.parametrize("error", default_exceptions.values())
def test_own_words(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: type[HTTPException]
) -> None:
    """Every error page is written for the visitors of the site, not by the framework."""
    monkeypatch.setitem(app.view_functions, "auth.login", lambda: abort(error.code or 500))
    assert escape(error.description) not in client.get("/auth/login").text


def test_large_request(app: Flask, client: FlaskClient) -> None:
    """More than any form here needs is refused."""
    username = "x" * app.config["MAX_CONTENT_LENGTH"]
    assert client.post("/auth/login", data={"username": username}).status_code == 413


@pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
@pytest.mark.parametrize(("more", "status"), [(-1, 400), (1, 413)])
def test_large_chunked_request(app: Flask, client: FlaskClient, more: int, status: int) -> None:
    """A body without a length is refused too, instead of being truncated."""
    size = app.config["MAX_CONTENT_LENGTH"] + more
    response = client.post(
        "/auth/login",
        data=b"username=".ljust(size, b"x"),
        content_type="application/x-www-form-urlencoded",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert response.status_code == status


@pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
def test_forms_want_token(app: Flask, client: FlaskClient) -> None:
    """No form does anything without its token. Rules with other variables are not tried."""
    for rule in app.url_map.iter_rules():
        path = re.sub("<int.*?>", "1", rule.rule).replace("<username>", "susan")
        if "POST" in (rule.methods or ()) and "<" not in path:
            assert client.post(path).status_code == 400, path


@pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
def test_token_opens_form(client: FlaskClient, auth: AuthActions, database: Database) -> None:
    """With the token that its page carries, a form works."""
    database.add_user("susan")
    token = re.search('name="csrf_token"[^>]* value="([^"]+)"', client.get("/auth/login").text)
    assert token
    assert auth.login(headers={"X-CSRFToken": token[1]}).location == "/"


@pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
def test_bad_token_is_explained(auth: AuthActions) -> None:
    """A form without its token says what to do, in words for people."""
    page = auth.logout().text
    assert "reload" in page.lower()
    assert "CSRF" not in page


class TestHeaders:
    """The headers of every response."""

    headers: ClassVar = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/", 200),
            ("/account", REDIRECT),
            ("/auth/login", 200),
            ("/healthz", 200),
            ("/readyz", 503),
            ("/static/style.css", 200),
            ("/static/missing.css", 404),
            ("/missing", 404),
            ("/auth/logout", 405),
            ("/broken_route", 500),
        ],
    )
    def test_response(self, client: FlaskClient, path: str, status: int) -> None:
        """Pages, redirects, files and errors alike are closed to other sites."""
        response = client.get(path, buffered=True)
        assert response.status_code == status
        assert self.headers.items() <= dict(response.headers).items()

    @pytest.mark.parametrize("path", ["/auth/login", "/missing", "/broken_route"])
    def test_scripts_and_frames(self, client: FlaskClient, path: str) -> None:
        """Browsers run no script in a page and show it in no frame."""
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy

    def test_limit(self, auth: AuthActions, database: Database) -> None:
        """An attempt too many gets them too."""
        database.add_user("susan")
        responses = [auth.login(password="wrong") for _ in range(11)]
        assert responses[-1].status_code == 429
        assert self.headers.items() <= dict(responses[-1].headers).items()


@pytest.mark.parametrize(("scheme", "sent"), [("https", True), ("http", False)])
@pytest.mark.parametrize("path", ["/auth/login", "/broken_route"])
def test_https_stays(client: FlaskClient, app: Flask, path: str, scheme: str, sent: bool) -> None:
    """A site with TLS tells browsers never to do without."""
    app.config["PREFERRED_URL_SCHEME"] = scheme
    assert ("Strict-Transport-Security" in client.get(path).headers) is sent


def test_public_url_closes_all() -> None:
    """PUBLIC_URL alone switches on both: Secure cookies, and no way back to http."""
    config = config_class(CsrfConfig, PUBLIC_URL="https://www.example.com")
    headers = create_app(config).test_client().get("/auth/login").headers
    assert "; Secure" in headers["Set-Cookie"]
    assert "Strict-Transport-Security" in headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("www.example.com", 200),
        ("127.0.0.1:8000", 200),
        ("localhost:8000", 200),
        ("evil.example", 400),
        ("www.example.com.evil.example", 400),
        ("[", 400),
    ],
)
def test_public_url_closes_other_hosts(host: str, status: int) -> None:
    """With PUBLIC_URL, the app serves its host, and a look by hand on the machine itself."""
    app = create_app(config_class(PUBLIC_URL="https://www.example.com"))
    assert app.test_client().get("/auth/login", headers={"Host": host}).status_code == status


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(
    ("path", "policy"),
    [("/", "no-store"), ("/account", "no-store"), ("/static/style.css", "no-cache")],
)
def test_pages_are_not_stored(client: FlaskClient, path: str, policy: str) -> None:
    """No cache keeps a page, which may be private. Files may be kept."""
    assert client.get(path, buffered=True).headers["Cache-Control"] == policy


@pytest.mark.parametrize("url", ["https://xn--mnchen-3ya.de", "https://www.example.com:8443"])
def test_public_url_is_this_site(url: str) -> None:
    """A form from PUBLIC_URL is accepted, with any host, and where no proxy is trusted."""
    client = create_app(config_class(PUBLIC_URL=url)).test_client()
    host = url.removeprefix("https://")
    response = client.post("/auth/logout", headers={"Host": host, "Origin": url})
    assert response.location == "/auth/login"


@pytest.mark.parametrize("host", ["xn--a", "xn--mnchen-3ya.de"])
def test_odd_host_is_no_crash(app: Flask, host: str) -> None:
    """A form is accepted from a host whose name is in punycode, valid or not."""
    environ = create_environ("/auth/logout", method="POST", headers={"Origin": f"http://{host}"})
    environ["HTTP_HOST"] = host  # Werkzeug's client would decode the name
    _, _, headers = run_wsgi_app(app, environ)
    assert headers["Location"] == "/auth/login"
