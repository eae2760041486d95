"""The account page and reset links."""

import time
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text
from werkzeug.test import TestResponse

from app.auth.models import Login, User
from tests.auth.conftest import NEW, is_logged_in
from tests.conftest import PASSWORD, AuthActions, Database


def change_password(client: FlaskClient, current: str = PASSWORD, new: str = NEW) -> TestResponse:
    """Send the form that changes the password."""
    form = {"current_password": current, "password": new, "password2": new}
    return client.post("/account/password", data=form)


@pytest.fixture
def other(app: Flask, susan: int) -> FlaskClient:
    """Return another browser in which susan is logged in."""
    client = app.test_client()
    AuthActions(client).login()
    return client


@pytest.fixture
def browsers(app: Flask, database: Database) -> dict[str, FlaskClient]:
    """Return the browsers of three users who are logged in, by name."""
    browsers = {}
    for name in ("anna", "susan", "zoe"):
        database.add_user(name)
        browsers[name] = app.test_client()
        AuthActions(browsers[name]).login(name)
    return browsers


def logged_in(browsers: dict[str, FlaskClient]) -> list[str]:
    """Return the names of those whose browsers show their own account."""
    pages = {name: browser.get("/account").text for name, browser in browsers.items()}
    return [name for name in pages if f"logged in as {name}." in pages[name]]


def test_login_opens_own_account(browsers: dict[str, FlaskClient]) -> None:
    """A login opens the account of its user and no other."""
    assert logged_in(browsers) == ["anna", "susan", "zoe"]


@pytest.mark.parametrize("path", ["", "/password", "/email", "/delete"])
def test_account_is_private(client: FlaskClient, path: str) -> None:
    """A stranger is asked to log in."""
    assert client.get(f"/account{path}").location == f"/auth/login?next=/account{path}"


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("path", ["", "/password", "/email", "/delete"])
def test_pages_of_account(client: FlaskClient, path: str) -> None:
    """A user can open each page of the account."""
    assert client.get(f"/account{path}").status_code == 200


@pytest.mark.usefixtures("susan")
def test_new_password(client: FlaskClient, auth: AuthActions) -> None:
    """The new password opens the account."""
    assert change_password(client).location == "/account"
    auth.logout()
    assert auth.login(password=NEW).location == "/"


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(
    ("current", "new"), [("wrong", NEW), ("", NEW), (PASSWORD, "password"), (PASSWORD, "susan-12")]
)
def test_password_is_refused(
    client: FlaskClient, auth: AuthActions, current: str, new: str
) -> None:
    """A wrong current password and a weak new one are refused."""
    assert change_password(client, current, new).status_code == 200
    auth.logout()
    assert auth.login().location == "/"


def test_new_password_logs_out_others(client: FlaskClient, other: FlaskClient) -> None:
    """A new password ends the user's logins in all other browsers."""
    change_password(client)
    assert [is_logged_in(browser) for browser in (client, other)] == [True, False]


@pytest.mark.usefixtures("susan")
def test_new_email(client: FlaskClient, database: Database) -> None:
    """A user changes the e-mail address with the password."""
    form = {"email": "s@example.com", "current_password": PASSWORD}
    assert client.post("/account/email", data=form).location == "/account"
    assert database.read(select(User.email)) == ["s@example.com"]


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("s@example.com", "wrong"),
        ("David@example.com", PASSWORD),
        ("ｄａｖｉｄ@example.com", PASSWORD),  # noqa: RUF001
        ("susan@", PASSWORD),
    ],
)
def test_email_is_refused(
    client: FlaskClient, database: Database, email: str, password: str
) -> None:
    """A wrong password is refused, and so is an address that is taken or invalid."""
    database.add_user("david")
    client.post("/account/email", data={"email": email, "current_password": password})
    assert "susan@example.com" in database.read(select(User.email))


@pytest.mark.usefixtures("susan")
def test_own_email_may_change_case(client: FlaskClient, database: Database) -> None:
    """A user's own e-mail address is not taken."""
    form = {"email": "Susan@example.com", "current_password": PASSWORD}
    client.post("/account/email", data=form)
    assert database.read(select(User.email)) == ["Susan@example.com"]


@pytest.mark.usefixtures("susan")
def test_email_loses_race(
    client: FlaskClient, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that is taken at the same moment shows the form again."""
    database.add_user("david")
    monkeypatch.setattr("app.auth.forms.user_with_email", lambda email: None)
    form = {"email": "David@example.com", "current_password": PASSWORD}
    assert "has just been taken" in client.post("/account/email", data=form).text


def test_log_out_everywhere(client: FlaskClient, other: FlaskClient) -> None:
    """The button ends the logins of this browser and of all others."""
    client.post("/account/logout")
    assert [is_logged_in(browser) for browser in (client, other)] == [False, False]


def test_log_out_everywhere_spares_others(browsers: dict[str, FlaskClient]) -> None:
    """Other users stay logged in when a user logs out everywhere."""
    browsers["susan"].post("/account/logout")
    assert logged_in(browsers) == ["anna", "zoe"]


@pytest.mark.usefixtures("susan")
def test_delete_account(client: FlaskClient, database: Database, other: FlaskClient) -> None:
    """The logins in all browsers are deleted with an account."""
    client.post("/account/delete", data={"current_password": PASSWORD})
    assert database.read(select(User.id)) == database.read(select(Login.user_id)) == []
    assert [is_logged_in(browser) for browser in (client, other)] == [False, False]


def test_delete_spares_others(browsers: dict[str, FlaskClient]) -> None:
    """Other users stay, and stay logged in, when an account is deleted."""
    browsers["susan"].post("/account/delete", data={"current_password": PASSWORD})
    assert logged_in(browsers) == ["anna", "zoe"]


@pytest.mark.usefixtures("susan")
def test_next_user_is_another(client: FlaskClient, database: Database) -> None:
    """A login that outlives its user does not open the account that is created next."""
    database.execute(text("PRAGMA foreign_keys = OFF"))
    database.execute(delete(User))
    database.add_user("zoe")
    assert len(database.read(select(Login.token))) == 1
    assert not is_logged_in(client)


@pytest.mark.usefixtures("susan")
def test_delete_needs_password(client: FlaskClient, database: Database) -> None:
    """A wrong password deletes nothing."""
    client.post("/account/delete", data={"current_password": "wrong"})
    assert database.read(select(User.username)) == ["susan"]


@pytest.fixture
def link(app: Flask, database: Database) -> str:
    """Return the path and query of a reset link for a user."""
    database.add_user("susan")
    url = urlsplit(app.test_cli_runner().invoke(args=["reset-link", "susan"]).output.strip())
    return f"{url.path}?{url.query}"


def choose(client: FlaskClient, link: str, password: str = NEW) -> TestResponse:
    """Send the form of a reset link."""
    return client.post(link, data={"password": password, "password2": password})


def test_reset_link(client: FlaskClient, auth: AuthActions, link: str) -> None:
    """A reset link shows a form that sets a new password."""
    assert client.get(link).status_code == 200
    choose(client, link)
    auth.logout()
    assert auth.login(password=NEW).location == "/"


def test_reset_link_logs_in(client: FlaskClient, link: str) -> None:
    """A user who has chosen a new password is logged in."""
    choose(client, link)
    assert is_logged_in(client)


def test_reset_link_works_once(client: FlaskClient, auth: AuthActions, link: str) -> None:
    """A link that was used sets no password."""
    choose(client, link)
    auth.logout()
    assert choose(client, link, "another horse").location == "/auth/login"
    assert auth.login(password=NEW).location == "/"


@pytest.mark.parametrize(("minutes", "valid"), [(24 * 60 - 1, True), (24 * 60 + 1, False)])
def test_reset_link_expires(
    client: FlaskClient, link: str, monkeypatch: pytest.MonkeyPatch, minutes: int, valid: bool
) -> None:
    """A link is valid for a day."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + minutes * 60)
    assert (client.get(link).status_code == 200) is valid


@pytest.mark.parametrize("token", ["", "no-token", "WzEsIiJd.aaaaaa.AAAA"])
def test_reset_link_cannot_be_forged(client: FlaskClient, token: str) -> None:
    """A link without a token, or with an unsigned one, is invalid."""
    assert client.get(f"/auth/reset?token={token}").location == "/auth/login"


def test_signature_is_checked(client: FlaskClient, link: str) -> None:
    """A link with another signature is invalid."""
    assert client.get(link[:-4] + "AAAA").location == "/auth/login"


def test_weak_password_keeps_link(client: FlaskClient, link: str) -> None:
    """A link stays valid after a password that was refused."""
    assert choose(client, link, "password").status_code == 200
    assert choose(client, link).location == "/"
