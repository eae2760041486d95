"""The account page and reset links."""

import time
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from app.models import Login, Post, User, followers
from tests.conftest import PASSWORD, AuthActions, Blog

NEW = "battery staple"


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
def browsers(app: Flask, blog: Blog) -> dict[str, FlaskClient]:
    """Return the browsers of three users who are logged in, by name."""
    browsers = {}
    for name in ("anna", "susan", "zoe"):
        blog.user(name)
        browsers[name] = app.test_client()
        AuthActions(browsers[name]).login(name)
    return browsers


def logged_in(browsers: dict[str, FlaskClient]) -> list[str]:
    """Return the names of those whose browsers show their own account."""
    pages = {name: browser.get("/account").text for name, browser in browsers.items()}
    return [name for name in pages if f"logged in as {name}." in pages[name]]


def test_each_browser_shows_its_users_account(browsers: dict[str, FlaskClient]) -> None:
    """A login opens the account of its user and no other."""
    assert logged_in(browsers) == ["anna", "susan", "zoe"]


@pytest.mark.parametrize("path", ["", "/password", "/email", "/delete"])
def test_account_is_private(client: FlaskClient, path: str) -> None:
    """Whoever is not logged in is asked to log in."""
    assert client.get(f"/account{path}").location == f"/auth/login?next=/account{path}"


@pytest.mark.usefixtures("susan")
def test_new_password(client: FlaskClient, auth: AuthActions) -> None:
    """The new password opens the account."""
    change_password(client)
    auth.logout()
    assert auth.login(password=NEW).status_code == 302


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(
    ("current", "new"), [("wrong", NEW), ("", NEW), (PASSWORD, "password"), (PASSWORD, "susan-12")]
)
def test_password_is_refused(
    client: FlaskClient, auth: AuthActions, current: str, new: str
) -> None:
    """Without the current password, or with a weak new one, nothing changes."""
    assert change_password(client, current, new).status_code == 200
    auth.logout()
    assert auth.login().status_code == 302


def test_new_password_logs_out_others(client: FlaskClient, other: FlaskClient) -> None:
    """A new password ends the user's logins everywhere else."""
    change_password(client)
    statuses = [browser.get("/account").status_code for browser in (client, other)]
    assert statuses == [200, 302]


@pytest.mark.usefixtures("susan")
def test_new_email(client: FlaskClient, blog: Blog) -> None:
    """With the password, a user changes the e-mail address."""
    form = {"email": "s@example.com", "current_password": PASSWORD}
    client.post("/account/email", data=form)
    assert blog.read(select(User.email)) == ["s@example.com"]


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(
    ("email", "password"),
    [("s@example.com", "wrong"), ("David@example.com", PASSWORD), ("susan@", PASSWORD)],
)
def test_email_is_refused(client: FlaskClient, blog: Blog, email: str, password: str) -> None:
    """With a wrong password, or an address that is taken or invalid, nothing changes."""
    blog.user("david")
    client.post("/account/email", data={"email": email, "current_password": password})
    assert "susan@example.com" in blog.read(select(User.email))


@pytest.mark.usefixtures("susan")
def test_own_email_may_change_case(client: FlaskClient) -> None:
    """The user's own e-mail address is not taken."""
    form = {"email": "Susan@example.com", "current_password": PASSWORD}
    assert client.post("/account/email", data=form).status_code == 302


@pytest.mark.usefixtures("susan")
def test_email_loses_race(client: FlaskClient, blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that is taken at the same moment shows the form again."""
    blog.user("david")
    monkeypatch.setattr("app.auth.forms.user_with_email", lambda email: None)
    form = {"email": "David@example.com", "current_password": PASSWORD}
    assert client.post("/account/email", data=form).status_code == 200


def test_log_out_everywhere(client: FlaskClient, other: FlaskClient) -> None:
    """It ends the login of this browser and of all others."""
    client.post("/account/logout")
    statuses = [browser.get("/account").status_code for browser in (client, other)]
    assert statuses == [302, 302]


def test_log_out_everywhere_spares_others(browsers: dict[str, FlaskClient]) -> None:
    """Logging out everywhere leaves other users logged in."""
    browsers["susan"].post("/account/logout")
    assert logged_in(browsers) == ["anna", "zoe"]


def test_delete_account(client: FlaskClient, blog: Blog, susan: int, other: FlaskClient) -> None:
    """A user's posts, follows and logins go with the account."""
    david = blog.user("david")
    blog.follow(susan, david)
    blog.follow(david, susan)
    blog.post(susan)
    client.post("/account/delete", data={"current_password": PASSWORD})
    assert blog.read(select(User.id)) == [david]
    tables = (Post, followers, Login)
    assert [blog.read(select(func.count()).select_from(table)) for table in tables] == [[0]] * 3
    assert other.get("/account").status_code == 302


def test_delete_spares_others(browsers: dict[str, FlaskClient], blog: Blog) -> None:
    """The posts, follows and logins of others stay when an account is deleted."""
    anna, zoe = blog.read(select(User.id).where(User.username != "susan"))
    posts = [blog.post(anna), blog.post(zoe)]
    blog.follow(anna, zoe)
    blog.follow(zoe, anna)
    browsers["susan"].post("/account/delete", data={"current_password": PASSWORD})
    assert blog.read(select(Post.id)) == posts
    assert blog.read(select(followers.c.follower_id)) == [anna, zoe]
    assert logged_in(browsers) == ["anna", "zoe"]


@pytest.mark.usefixtures("susan")
def test_delete_needs_password(client: FlaskClient, blog: Blog) -> None:
    """A wrong password deletes nothing."""
    client.post("/account/delete", data={"current_password": "wrong"})
    assert blog.read(select(User.username)) == ["susan"]


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize("path", ["/account/password", "/account/email", "/account/delete"])
def test_guesses_are_limited(client: FlaskClient, path: str) -> None:
    """A stolen session does not find out the password."""
    statuses = [client.post(path, data={"current_password": ""}).status_code for _ in range(11)]
    assert (statuses[9], statuses[10]) == (200, 429)


@pytest.fixture
def link(app: Flask, blog: Blog) -> str:
    """Return the path of a reset link for a user."""
    blog.user("susan")
    output = app.test_cli_runner().invoke(args=["reset-link", "susan"]).output
    url = urlsplit(output.strip())
    assert (url.scheme, url.netloc) == ("http", "localhost:8000")
    return f"{url.path}?{url.query}"


def choose(client: FlaskClient, link: str, password: str = NEW) -> TestResponse:
    """Send the form of a reset link."""
    return client.post(link, data={"password": password, "password2": password})


def test_reset_link(client: FlaskClient, auth: AuthActions, link: str) -> None:
    """A reset link shows a form that sets a new password."""
    assert client.get(link).status_code == 200
    choose(client, link)
    auth.logout()
    assert auth.login(password=NEW).status_code == 302


def test_reset_link_logs_in(client: FlaskClient, link: str) -> None:
    """Whoever has chosen a new password is logged in."""
    choose(client, link)
    assert client.get("/account").status_code == 200


def test_reset_link_works_once(client: FlaskClient, auth: AuthActions, link: str) -> None:
    """A link that was used changes nothing."""
    choose(client, link)
    auth.logout()
    assert choose(client, link, "another horse").location == "/auth/login"
    assert auth.login(password="another horse").status_code == 200


@pytest.mark.parametrize(("minutes", "status"), [(24 * 60 - 1, 200), (24 * 60 + 1, 302)])
def test_reset_link_expires(
    client: FlaskClient, link: str, monkeypatch: pytest.MonkeyPatch, minutes: int, status: int
) -> None:
    """A link is valid for a day."""
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + minutes * 60)
    assert client.get(link).status_code == status


def test_reset_link_cannot_be_forged(client: FlaskClient, link: str) -> None:
    """A link with another signature is invalid."""
    assert client.get(link[:-4] + "AAAA").status_code == 302


def test_weak_password_keeps_link(client: FlaskClient, link: str) -> None:
    """A password that is refused leaves the link valid."""
    assert choose(client, link, "password").status_code == 200
    assert choose(client, link).status_code == 302
