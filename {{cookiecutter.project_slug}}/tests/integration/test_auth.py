"""Register, log in, log out."""

import socket
from datetime import timedelta
from threading import Thread
from typing import Any, ClassVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from app import create_app
from app.config import TestConfig
from app.extensions import db, limiter
from app.models import Login, User, utcnow
from tests.conftest import PASSWORD, AuthActions, Blog, CsrfConfig, config_class


def test_register_logs_in(auth: AuthActions) -> None:
    """Whoever registers is logged in."""
    auth.register()
    assert auth.client.get("/edit_profile").status_code == 200


def test_register_is_not_remembered(auth: AuthActions) -> None:
    """Whoever registers is logged in only until the browser is closed."""
    auth.register()
    assert auth.client.get_cookie("remember_token") is None


def test_register_hashes_password(auth: AuthActions, blog: Blog) -> None:
    """The database never sees a password."""
    auth.register()
    assert PASSWORD not in blog.read(select(User.password_hash))[0]


def test_register_tidies_input(auth: AuthActions, blog: Blog) -> None:
    """Blanks and NUL around a name do not become part of it."""
    auth.register(username=" susan\0 ", email=" susan@example.com ")
    assert blog.read(select(User.username + User.email)) == ["susansusan@example.com"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", ""),
        ("username", "   "),
        ("username", "susan smith"),
        ("username", "susan/../admin"),
        ("username", "<b>susan</b>"),
        ("username", "s" * 65),
        ("username", "david"),
        ("username", "DAVID"),
        ("username", "."),
        ("username", ".."),
        ("email", ""),
        ("email", "susan"),
        ("email", "susan@"),
        ("email", f"susan@{'a' * 60}.{'b' * 60}.example.com"),
        ("email", "david@example.com"),
        ("email", "David@Example.com"),
        ("password", ""),
        ("password", "7letter"),
        ("password", "l" * 129),
        ("password", "Password"),
        ("password", "susan-1234"),
        ("password2", ""),
        ("password2", "another horse"),
    ],
)
def test_register_refuses(auth: AuthActions, blog: Blog, field: str, value: str) -> None:
    """Bad input shows the form again, and nobody is added."""
    blog.user("david")
    assert auth.register(**{field: value}).status_code == 200
    assert blog.read(select(func.count(User.id))) == [1]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("username", "s" * 64),
        ("email", f"{'s' * 52}@{'a' * 55}.example.com"),
        ("password", "8letters"),
        ("password", "l" * 128),
    ],
)
def test_register_accepts(auth: AuthActions, field: str, value: str) -> None:
    """A name, an e-mail address and a password may be as long as the rules say."""
    assert auth.register(**{field: value}).status_code == 302


@pytest.mark.parametrize("name", ["susan", "SUSAN"])
def test_register_loses_race(
    auth: AuthActions, blog: Blog, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Of two who want the same name at the same moment, one sees the form again."""
    blog.user("susan")
    monkeypatch.setattr("app.auth.forms.user_named", lambda name: None)
    assert auth.register(username=name, email="other@example.com").status_code == 200
    assert blog.read(select(User.username)) == ["susan"]


@pytest.mark.parametrize("page", ["/auth/login", "/auth/register"])
@pytest.mark.usefixtures("susan")
def test_known_user_goes_home(auth: AuthActions, page: str) -> None:
    """Whoever is logged in has no need for these forms."""
    assert auth.client.get(page).status_code == 302


def test_same_answer_for_nobody(auth: AuthActions, blog: Blog) -> None:
    """A wrong password and an unknown name look the same: nobody learns who has an account."""
    unknown = auth.login(password="wrong").text
    blog.user("susan")
    assert auth.login(password="wrong").text == unknown


def test_login_tidies_name(auth: AuthActions, blog: Blog) -> None:
    """A name may be typed with blanks around it."""
    blog.user("susan")
    assert auth.login(" susan ").status_code == 302


def test_failure_leaves_anonymous(auth: AuthActions, blog: Blog) -> None:
    """A wrong password opens nothing."""
    blog.user("susan")
    auth.login(password="wrong")
    assert auth.client.get("/edit_profile").status_code == 302


@pytest.mark.parametrize(
    ("target", "location"),
    [("/user/susan", "/user/susan"), ("//evil.example", "/"), ("https:evil", "/")],
)
def test_login_follows_next(auth: AuthActions, blog: Blog, target: str, location: str) -> None:
    """A login leads to where the user wanted to go, on this site."""
    blog.user("susan")
    assert auth.login(query_string={"next": target}).location == location


@pytest.mark.parametrize("name", ["SUSAN", "susan@example.com", "Susan@Example.com"])
def test_login_ignores_case(auth: AuthActions, blog: Blog, name: str) -> None:
    """A user logs in with the name or the e-mail address, whatever its case."""
    blog.user("susan")
    assert auth.login(name).status_code == 302


@pytest.mark.usefixtures("susan")
def test_logout(auth: AuthActions) -> None:
    """After a logout the pages are closed again."""
    auth.logout()
    assert auth.client.get("/edit_profile").status_code == 302


@pytest.mark.parametrize(("remember", "status"), [(True, 200), (False, 302)])
def test_remember_me(auth: AuthActions, blog: Blog, remember: bool, status: int) -> None:
    """Whoever asks for it stays logged in when the browser forgets the session."""
    blog.user("susan")
    auth.login(remember=remember)
    auth.client.delete_cookie("session")
    assert auth.client.get("/edit_profile").status_code == status


def test_logout_forgets(auth: AuthActions, blog: Blog) -> None:
    """A logout ends the remembering too."""
    blog.user("susan")
    auth.login(remember=True)
    auth.logout()
    auth.client.delete_cookie("session")
    assert auth.client.get("/edit_profile").status_code == 302


@pytest.mark.parametrize("name", ["session", "remember_token"])
def test_logout_ends_copies(auth: AuthActions, blog: Blog, name: str) -> None:
    """A copy of a cookie is worth nothing after the log-out."""
    blog.user("susan")
    auth.login(remember=True)
    copy = auth.client.application.test_client()
    cookie = auth.client.get_cookie(name)
    assert cookie
    copy.set_cookie(name, cookie.value)
    before = copy.get("/edit_profile").status_code
    auth.logout()
    copy.set_cookie(name, cookie.value)
    assert (before, copy.get("/edit_profile").status_code) == (200, 302)


@pytest.mark.usefixtures("susan")
def test_logout_spares_other_browsers(auth: AuthActions, app: Flask) -> None:
    """To log out in one browser leaves the user's other browsers logged in."""
    other = AuthActions(app.test_client())
    other.login()
    auth.logout()
    assert other.client.get("/edit_profile").status_code == 200


def date_logins(app: Flask, age: timedelta) -> None:
    """Let all logins be as old as `age`."""
    with app.app_context():
        db.session.execute(update(Login).values(created=utcnow() - age))
        db.session.commit()


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(("minutes", "status"), [(-1, 200), (1, 302)])
def test_login_expires(auth: AuthActions, app: Flask, minutes: int, status: int) -> None:
    """A login ends after 30 days."""
    date_logins(app, timedelta(days=30, minutes=minutes))
    assert auth.client.get("/edit_profile").status_code == status


def test_login_deletes_expired_ones(auth: AuthActions, app: Flask, blog: Blog) -> None:
    """A login deletes those of the same user that have expired."""
    for name in ("anna", "susan", "zoe"):
        blog.user(name)
        AuthActions(app.test_client()).login(name)
    date_logins(app, timedelta(days=31))
    auth.login()
    owners = select(User.username).join(Login, Login.user_id == User.id)
    assert blog.read(owners.order_by(Login.created, User.id)) == ["anna", "zoe", "susan"]


@pytest.mark.parametrize("user_id", ["susan", "", "1", "1.short", 1, ["1"], "1." + "\0" * 43])
def test_strange_session_is_anonymous(client: FlaskClient, susan: int, user_id: Any) -> None:
    """A signed cookie with another kind of user id is nobody's."""
    with client.session_transaction() as session:
        session["_user_id"] = user_id
    assert client.get("/edit_profile").status_code == 302


@pytest.mark.parametrize("name", ["session", "remember_token"])
def test_cookies_are_closed(auth: AuthActions, blog: Blog, name: str) -> None:
    """No script and no other site gets at a cookie."""
    blog.user("susan")
    cookies = auth.login(remember=True).headers.getlist("Set-Cookie")
    (cookie,) = (cookie for cookie in cookies if cookie.startswith(f"{name}="))
    assert "; HttpOnly" in cookie
    assert "; SameSite=Lax" in cookie


def fail(auth: AuthActions, times: int, **request: Any) -> int:
    """Log in with a wrong password `times`, and return the last status."""
    return [auth.login(password="wrong", **request).status_code for _ in range(times)][-1]


def test_login_limit(auth: AuthActions, blog: Blog) -> None:
    """After ten failures in a minute, not even the right password is looked at."""
    blog.user("susan")
    assert fail(auth, 10) == 200
    assert auth.login().status_code == 429


def test_limit_says_when(auth: AuthActions, blog: Blog) -> None:
    """Whoever is limited is told how many seconds to wait."""
    blog.user("susan")
    fail(auth, 10)
    assert 0 < int(auth.login().headers["Retry-After"]) <= 60


def test_successes_are_free(auth: AuthActions, blog: Blog) -> None:
    """Only failures count."""
    blog.user("susan")
    for _ in range(11):
        assert auth.login().status_code == 302
        auth.logout()


def test_pages_are_free(auth: AuthActions, blog: Blog) -> None:
    """To look at the form is no attempt, and nobody is kept from it."""
    blog.user("susan")
    fail(auth, 11)
    assert auth.client.get("/auth/login").status_code == 200


@pytest.mark.parametrize(
    ("client_address", "status"),
    [("192.0.2.1", 429), ("192.0.2.2", 302), ("2001:db8::1:2", 302)],
)
def test_limit_is_by_address(
    auth: AuthActions, blog: Blog, client_address: str, status: int
) -> None:
    """One client's failures do not keep out another."""
    blog.user("susan")
    fail(auth, 10, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert auth.login(environ_base={"REMOTE_ADDR": client_address}).status_code == status


@pytest.mark.parametrize(("client_address", "status"), [("2001:db8::9", 429), ("2001:db9::", 302)])
def test_network_is_one_client(
    auth: AuthActions, blog: Blog, client_address: str, status: int
) -> None:
    """All addresses of an IPv6 /64 count as one client, which has them all."""
    blog.user("susan")
    fail(auth, 10, environ_base={"REMOTE_ADDR": "2001:db8::1"})
    assert auth.login(environ_base={"REMOTE_ADDR": client_address}).status_code == status


def test_limit_is_by_account(auth: AuthActions, blog: Blog) -> None:
    """Failures for one account do not keep others at the same address out of theirs."""
    blog.user("susan")
    blog.user("david")
    fail(auth, 10)
    assert auth.login("david").status_code == 302


def test_limit_ignores_case(auth: AuthActions, blog: Blog) -> None:
    """Another way to write a name gives no more attempts."""
    blog.user("susan")
    fail(auth, 10)
    assert auth.login(" Susan").status_code == 429


def test_limit_over_all_accounts(auth: AuthActions) -> None:
    """An address cannot try one password on any number of accounts."""
    statuses = [auth.login(f"user{n}", "").status_code for n in range(101)]
    assert (statuses[99], statuses[100]) == (200, 429)


@pytest.mark.parametrize("app", [config_class(REDIS_URL="redis://127.0.0.1:1/0")], indirect=True)
def test_limit_without_redis(auth: AuthActions, blog: Blog) -> None:
    """While Redis is unreachable, people can log in, and failures are counted in memory."""
    blog.user("susan")
    assert fail(auth, 11) == 429
    assert auth.login("david").status_code == 200


def test_redis_has_time_to_respond() -> None:
    """A Redis server that responds is used."""

    def respond() -> None:
        connection, _ = server.accept()
        with connection:
            while commands := connection.recv(1024):
                connection.sendall(b"+PONG\r\n" * commands.count(b"*"))

    with socket.create_server(("127.0.0.1", 0)) as server:
        Thread(target=respond, daemon=True).start()
        create_app(config_class(REDIS_URL=f"redis://127.0.0.1:{server.getsockname()[1]}"))
        assert limiter.storage.check()


def test_registration_limit(auth: AuthActions) -> None:
    """An address cannot register any number of accounts."""
    statuses = [auth.register(password="").status_code for _ in range(21)]
    assert (statuses[19], statuses[20]) == (200, 429)


def test_forged_address_counts(auth: AuthActions, blog: Blog) -> None:
    """Without a proxy in front, a client cannot choose its address."""
    blog.user("susan")
    fail(auth, 10)
    assert auth.login(headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 429


@pytest.mark.parametrize("app", [config_class(TRUSTED_PROXIES="1")], indirect=True)
def test_proxy_tells_address(auth: AuthActions, blog: Blog) -> None:
    """Behind a proxy, the limit is by the address that the proxy saw."""
    blog.user("susan")
    fail(auth, 11, headers={"X-Forwarded-For": "192.0.2.1"})
    assert auth.login(headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 302


def test_new_password_ends_sessions(
    auth: AuthActions, client: FlaskClient, app: Flask, susan: int
) -> None:
    """Whoever was logged in with the old password is not any more, remembered or not."""
    auth.login(remember=True)
    runner = app.test_cli_runner()
    runner.invoke(args=["set-password", "susan"], input="new horse\nnew horse\n")
    assert client.get("/edit_profile").status_code == 302


@pytest.mark.parametrize(
    ("method", "location"),
    [("GET", "/auth/login?next=/edit_profile?after%3D7"), ("POST", "/auth/login")],
)
def test_way_back_is_a_page(client: FlaskClient, method: str, location: str) -> None:
    """After logging in a person is where they wanted to be; what a form sent is not repeated."""
    path = "/edit_profile?after=7" if method == "GET" else "/follow/susan"
    assert client.open(path, method=method).location == location


class TestLostSession:
    """A form that is sent after the session of its page has ended."""

    own: ClassVar = {"Origin": "http://localhost"}

    @pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
    def test_form_is_shown_again(self, client: FlaskClient) -> None:
        """The form is shown with its text, and says what to do."""
        form = {"username": "susan", "password": "secret horse"}
        client.post("/auth/login", data=form, headers=self.own)
        page = client.get("/auth/login").text
        assert 'value="susan"' in page
        assert "send it again" in page
        assert "secret horse" not in page

    @pytest.mark.parametrize("app", [CsrfConfig, TestConfig], indirect=True)
    @pytest.mark.parametrize(("path", "field"), [("/", "post"), ("/edit_profile", "about_me")])
    def test_text_outlives_login(self, app: Flask, blog: Blog, path: str, field: str) -> None:
        """Who has to log in finds the text in the form afterwards, once."""
        blog.user("susan")
        client = app.test_client()
        response = client.post(path, data={field: "My <text>"}, headers=self.own)
        assert response.location == f"/auth/login?next={path}"
        app.config["WTF_CSRF_ENABLED"] = False
        AuthActions(client).login()
        assert ["My &lt;text&gt;" in client.get(path).text for _ in range(2)] == [True, False]

    @pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
    def test_button_has_no_page(self, client: FlaskClient) -> None:
        """A button whose URL has no page is answered with the reason."""
        assert client.post("/auth/logout", headers=self.own).status_code == 400

    @pytest.mark.parametrize("app", [CsrfConfig], indirect=True)
    @pytest.mark.parametrize("origin", [{}, {"Origin": "http://evil.example"}, {"Origin": "null"}])
    def test_other_site_changes_nothing(self, client: FlaskClient, origin: dict[str, str]) -> None:
        """A form on another site gets neither into the session nor rid of it."""
        response = client.post("/", data={"post": "Buy this"}, headers=origin)
        assert response.status_code == 400
        assert "Set-Cookie" not in response.headers
