"""Register, log in, log out."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import current_user
from itsdangerous import TimestampSigner
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from app.auth import service
from app.auth.access import local_path
from app.auth.models import Login, User, utcnow
from app.config import COOKIE
from app.extensions import db
from tests.auth.conftest import is_logged_in
from tests.conftest import PASSWORD, AuthActions, CsrfConfig, Database


@pytest.fixture(params=["SESSION_COOKIE_NAME", "REMEMBER_COOKIE_NAME"])
def cookie_name(request: pytest.FixtureRequest, app: Flask) -> str:
    """Return the name of the session's cookie in one run, and of the lasting one in another."""
    name: str = app.config[request.param]
    return name


def forget_session(client: FlaskClient) -> None:
    """Close the browser, which forgets the session."""
    client.delete_cookie(client.application.config["SESSION_COOKIE_NAME"])


class TestRegister:
    """A stranger creates an account."""

    def test_logs_in(self, auth: AuthActions) -> None:
        """A new user is logged in."""
        assert auth.register().location == "/"
        assert is_logged_in(auth.client)

    def test_is_not_remembered(self, auth: AuthActions) -> None:
        """A new user is logged in only until the browser is closed."""
        auth.register()
        forget_session(auth.client)
        assert not is_logged_in(auth.client)

    def test_hashes_password(self, auth: AuthActions, database: Database) -> None:
        """The database does not contain the password."""
        auth.register()
        assert PASSWORD not in database.read(select(User.password_hash))[0]

    def test_tidies_input(self, auth: AuthActions, database: Database) -> None:
        """Whitespace and NUL do not become part of a name or an e-mail address."""
        auth.register(username=" susan\0 ", email=" susan@example.com ")
        assert database.read(select(User.username + User.email)) == ["susansusan@example.com"]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", ""),
            ("username", "   "),
            ("username", "\0"),
            ("username", "susan smith"),
            ("username", "susan/../admin"),
            ("username", "<b>susan</b>"),
            ("username", "s" * 65),
            ("username", "david"),
            ("username", "DAVID"),
            ("username", "ｓｕｓａｎ"),  # noqa: RUF001
            ("username", "."),
            ("username", ".."),
            ("email", ""),
            ("email", "susan"),
            ("email", "susan@"),
            ("email", f"susan@{'a' * 60}.{'b' * 60}.example.com"),
            ("email", "david@example.com"),
            ("email", "David@Example.com"),
            ("email", "ｄａｖｉｄ@example.com"),  # noqa: RUF001
            ("email", f"{'ŉ' * 64}@{'a' * 40}.example.com"),
            ("password", ""),
            ("password", "7letter"),
            ("password", "l" * 129),
            ("password", "Password"),
            ("password", "susan-1234"),
            ("password2", ""),
            ("password2", "another horse"),
        ],
    )
    def test_refuses(self, auth: AuthActions, database: Database, field: str, value: str) -> None:
        """Invalid input shows the form again, and no user is added."""
        database.add_user("david")
        assert auth.register(**{field: value}).status_code == 200
        assert database.read(select(func.count(User.id))) == [1]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", "s" * 64),
            ("email", f"{'s' * 52}@{'a' * 55}.example.com"),
            ("password", "8letters"),
            ("password", "l" * 128),
        ],
    )
    def test_accepts(self, auth: AuthActions, field: str, value: str) -> None:
        """A name, an e-mail address and a password may be as long as the rules say."""
        assert auth.register(**{field: value}).location == "/"

    @pytest.mark.parametrize("name", ["susan", "SUSAN"])
    def test_loses_race(
        self, auth: AuthActions, database: Database, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        """A user whose name is taken at the same moment sees the form again."""
        database.add_user("susan")
        monkeypatch.setattr("app.auth.forms.user_named", lambda name: None)
        page = auth.register(username=name, email="other@example.com").text
        assert "has just been taken" in page
        assert database.read(select(User.username)) == ["susan"]


class TestLogIn:
    """A user logs in."""

    @pytest.mark.usefixtures("susan")
    @pytest.mark.parametrize("page", ["/auth/login", "/auth/register"])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_user_is_redirected(self, client: FlaskClient, page: str, method: str) -> None:
        """A user who is logged in gets to the front page."""
        assert client.open(page, method=method).location == "/"

    def test_unknown_name_looks_the_same(
        self, auth: AuthActions, database: Database, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A wrong password and an unknown name have the same page, which tells no names."""
        # The token in the page contains the time.
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda signer: 0)
        unknown = auth.login(password="wrong").text
        database.add_user("susan")
        assert auth.login(password="wrong").text == unknown

    def test_failure_leaves_anonymous(self, auth: AuthActions, database: Database) -> None:
        """A wrong password does not log in."""
        database.add_user("susan")
        assert "Wrong username or password" in auth.login(password="wrong").text
        assert not is_logged_in(auth.client)

    @pytest.mark.parametrize(
        "name",
        ["susan", " SUSAN ", "ｓｕｓａｎ", "susan@example.com", "Susan@Example.com"],  # noqa: RUF001
    )
    def test_spelling(self, auth: AuthActions, database: Database, name: str) -> None:
        """A user logs in with the name or the e-mail address in any spelling."""
        database.add_user("susan")
        assert auth.login(name).location == "/"

    @pytest.mark.usefixtures("susan")
    def test_logout(self, auth: AuthActions) -> None:
        """A private page is closed after a log-out."""
        before = is_logged_in(auth.client)
        assert auth.logout().location == "/auth/login"
        assert (before, is_logged_in(auth.client)) == (True, False)

    @pytest.mark.parametrize("remember", [True, False])
    def test_remember_me(self, auth: AuthActions, database: Database, remember: bool) -> None:
        """A user stays logged in after the session has ended, if asked for."""
        database.add_user("susan")
        auth.login(remember=remember)
        forget_session(auth.client)
        assert is_logged_in(auth.client) is remember

    def test_logout_forgets(self, auth: AuthActions, database: Database) -> None:
        """A log-out ends a remembered login."""
        database.add_user("susan")
        auth.login(remember=True)
        auth.logout()
        forget_session(auth.client)
        assert not is_logged_in(auth.client)

    def test_logout_ends_copies(
        self, auth: AuthActions, database: Database, cookie_name: str
    ) -> None:
        """A copy of a cookie does not log in after the log-out."""
        database.add_user("susan")
        auth.login(remember=True)
        copy = auth.client.application.test_client()
        cookie = auth.client.get_cookie(cookie_name)
        assert cookie
        copy.set_cookie(cookie_name, cookie.value)
        before = is_logged_in(copy)
        auth.logout()
        copy.set_cookie(cookie_name, cookie.value)
        assert (before, is_logged_in(copy)) == (True, False)

    @pytest.mark.usefixtures("susan")
    def test_logout_spares_other_browsers(self, auth: AuthActions, app: Flask) -> None:
        """A log-out in one browser leaves the user's other browsers logged in."""
        other = AuthActions(app.test_client())
        other.login()
        auth.logout()
        assert is_logged_in(other.client)

    def test_stranger_logs_out(self, auth: AuthActions) -> None:
        """A log-out without a login leads to the log-in page."""
        assert auth.logout().location == "/auth/login"


class TestSession:
    """A login lasts, and its cookies are private."""

    def date_logins(self, database: Database, age: timedelta) -> None:
        """Let all logins be as old as `age`."""
        database.execute(update(Login).values(created=utcnow() - age))

    @pytest.mark.usefixtures("susan")
    @pytest.mark.parametrize(("minutes", "valid"), [(-1, True), (1, False)])
    def test_expires(
        self, client: FlaskClient, database: Database, minutes: int, valid: bool
    ) -> None:
        """A login ends after 30 days."""
        self.date_logins(database, timedelta(days=30, minutes=minutes))
        assert is_logged_in(client) is valid

    def test_login_deletes_expired_ones(
        self, auth: AuthActions, app: Flask, database: Database
    ) -> None:
        """A login deletes those of the same user that have expired."""
        for name in ("anna", "susan", "zoe"):
            database.add_user(name)
            AuthActions(app.test_client()).login(name)
        self.date_logins(database, timedelta(days=31))
        auth.login()
        owners = select(User.username).join(Login, Login.user_id == User.id)
        assert database.read(owners.order_by(Login.created, User.id)) == ["anna", "zoe", "susan"]

    @pytest.mark.usefixtures("susan")
    @pytest.mark.parametrize(
        "user_id", ["susan", "", "1", "1.short", 1, ["1"], "1." + "\0" * 43, "t" * 43]
    )
    def test_strange_session_is_anonymous(self, client: FlaskClient, user_id: Any) -> None:
        """A signed cookie without the token of a login does not log in."""
        with client.session_transaction() as session:
            session["_user_id"] = user_id
        assert not is_logged_in(client)

    def test_cookies_are_private(
        self, auth: AuthActions, database: Database, cookie_name: str
    ) -> None:
        """Browsers give a cookie to no script, and send it with no form of another site."""
        database.add_user("susan")
        cookies = auth.login(remember=True).headers.getlist("Set-Cookie")
        (cookie,) = (cookie for cookie in cookies if cookie.startswith(f"{cookie_name}="))
        assert "; HttpOnly" in cookie
        assert "; SameSite=Lax" in cookie

    def test_cookies_are_named_after_project(self, auth: AuthActions, database: Database) -> None:
        """The cookies of another project on the same host have other names."""
        database.add_user("susan")
        cookies = auth.login(remember=True).headers.getlist("Set-Cookie")
        names = {cookie.partition("=")[0] for cookie in cookies}
        assert names == {f"{COOKIE}_session", f"{COOKIE}_remember"}


class TestWayBack:
    """A log-in leads to the page that the user wanted to see."""

    @pytest.mark.parametrize("target", ["/", "/a/b", "/a?before=7", "/\u0645\u0631"])
    def test_own_path_is_allowed(self, target: str) -> None:
        """A path of this site is allowed."""
        assert local_path(target) == target

    @pytest.mark.parametrize(
        "target",
        [
            None,
            "",
            "account",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "https:evil.example",
            "http:///evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/\n/evil.example",
            "/\x00/evil.example",
            "/\x7f/evil.example",
            "/\x85/evil.example",
            "/\u2028/evil.example",
            "/account\r\nSet-Cookie: a=b",
            "/account\n",
        ],
    )
    def test_other_site_is_refused(self, target: str | None) -> None:
        """A URL that a browser may take for another site is refused."""
        assert local_path(target) is None

    @pytest.mark.parametrize(
        ("target", "location"),
        [("/account", "/account"), ("//evil.example", "/"), ("https:evil", "/")],
    )
    def test_login_follows_next(
        self, auth: AuthActions, database: Database, target: str, location: str
    ) -> None:
        """A log-in leads to `next` if that is on this site."""
        database.add_user("susan")
        assert auth.login(query_string={"next": target}).location == location

    @pytest.mark.parametrize(
        ("path", "location"),
        [
            ("/account", "/auth/login?next=/account"),
            ("/account?after=7", "/auth/login?next=/account?after%3D7"),
        ],
    )
    def test_page_is_next(self, client: FlaskClient, path: str, location: str) -> None:
        """The log-in page gets the URL of the private page with its query."""
        assert client.get(path).location == location

    @pytest.mark.parametrize("path", ["/account/password", "/account/logout"])
    def test_form_is_not_next(self, client: FlaskClient, path: str) -> None:
        """The log-in page does not lead back to a form that was sent."""
        assert client.post(path).location == "/auth/login"

    def test_prefix_stays(self, auth: AuthActions, database: Database) -> None:
        """The way back to an app below a path of its host begins with that path."""
        database.add_user("susan")
        base = "http://localhost/app"
        location = auth.client.get("/account", base_url=base).location
        assert location == "/app/auth/login?next=/app/account"
        target = {"next": "/app/account"}
        assert auth.login(query_string=target, base_url=base).location == "/app/account"


class TestLostAccount:
    """An account is deleted while a request is at work."""

    @pytest.fixture
    def app(self, own_app: Flask) -> Flask:
        """Return an app with pages that write for a missing user, and for a deleted one."""

        def write_login(user_id: int) -> str:
            db.session.add(Login(token="t", user_id=user_id))
            db.session.commit()
            return ""

        def delete_current_user() -> int:
            user_id: int = current_user.id
            with own_app.app_context():
                service.delete_account(db.session.get_one(User, user_id))
            return user_id

        @own_app.post("/write")
        def write() -> str:
            return write_login(-getattr(current_user, "id", 1))

        @own_app.route("/write_late", methods=["GET", "POST"])
        def write_late() -> str:
            return write_login(delete_current_user())

        @own_app.route("/read_late", methods=["GET", "POST"])
        def read_late() -> str:
            delete_current_user()
            db.session.rollback()  # the user is loaded again
            return str(current_user.username)

        return own_app

    @pytest.mark.usefixtures("susan")
    @pytest.mark.parametrize("path", ["/write_late", "/read_late"])
    @pytest.mark.parametrize(
        ("method", "location"), [("POST", "/auth/login"), ("GET", "/auth/login?next={}")]
    )
    def test_user_is_asked_to_log_in(
        self, client: FlaskClient, path: str, method: str, location: str
    ) -> None:
        """A user whose account was deleted meanwhile is logged out, and asked to log in."""
        assert client.open(path, method=method).location == location.format(path)
        with client.session_transaction() as session:
            assert "_user_id" not in session

    @pytest.mark.usefixtures("susan")
    def test_other_error_of_user_crashes(self, client: FlaskClient) -> None:
        """A row that the database refuses crashes for a user whose account exists."""
        with pytest.raises(IntegrityError):
            client.post("/write")
        assert is_logged_in(client)

    def test_other_error_of_stranger_crashes(self, client: FlaskClient) -> None:
        """A row that the database refuses crashes for a stranger."""
        with pytest.raises(IntegrityError):
            client.post("/write")


@pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
class TestOtherSites:
    """A form needs its token, and comes from a page of this site."""

    @pytest.fixture
    def token(self, client: FlaskClient, database: Database) -> dict[str, str]:
        """Return the header with the token of a session. There is a user."""
        database.add_user("susan")
        page = client.get("/auth/login", base_url="https://localhost").text
        found = re.search('name="csrf_token"[^>]* value="([^"]+)"', page)
        assert found
        return {"X-CSRFToken": found[1]}

    @pytest.mark.parametrize(
        "sender",
        [
            {},
            {"Origin": "https://localhost"},
            {"Referer": "https://localhost/auth/login"},
            {"Origin": "https://localhost", "Referer": "https://localhost/"},
        ],
    )
    def test_own_form_is_accepted(
        self, auth: AuthActions, token: dict[str, str], sender: dict[str, str]
    ) -> None:
        """A form with its token works over https, with or without Origin and Referer."""
        response = auth.login(headers=token | sender, base_url="https://localhost")
        assert response.location == "/"

    @pytest.mark.parametrize(
        "sender",
        [
            {"Origin": "https://evil.example"},
            {"Origin": "http://localhost"},
            {"Origin": "https://localhost:8000"},
            {"Origin": "https://localhost.evil.example"},
            {"Origin": "null"},
            {"Origin": "http://["},
            {"Origin": "https://evil.example", "Referer": "https://localhost/"},
            {"Referer": "https://evil.example/?https://localhost/"},
            {"Referer": "http://["},
        ],
    )
    def test_other_form_is_refused(
        self,
        auth: AuthActions,
        token: dict[str, str],
        sender: dict[str, str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """A form of another site is refused although it has the token, and the log says why."""
        response = auth.login(headers=token | sender, base_url="https://localhost")
        assert response.status_code == 400
        assert "Set-Cookie" not in response.headers
        assert "PUBLIC_URL" in caplog.text

    def test_token_is_needed(self, auth: AuthActions, database: Database) -> None:
        """A form without its token is refused although its Origin is right."""
        database.add_user("susan")
        assert auth.login(headers={"Origin": "http://localhost"}).status_code == 400


def test_password_managers_find_the_form(client: FlaskClient, susan: int) -> None:
    """The URL at which password managers look leads to the form for a new password."""
    page = client.get("/.well-known/change-password", follow_redirects=True)
    assert page.request.path == "/account/password"


@pytest.mark.parametrize(
    ("contact", "text"),
    [("", "Ask those who run this site"), ("mailto:a@b.c", '<a href="mailto:a@b.c">Ask us</a>')],
)
def test_forgotten_password(app: Flask, client: FlaskClient, contact: str, text: str) -> None:
    """The log-in page says whom to ask for a link to choose a new password."""
    app.config["CONTACT"] = contact
    assert text in client.get("/auth/login").text
