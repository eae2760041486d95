"""How often a client may try something."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.auth import passwords
from app.limits import account, client_network, limiter
from tests.conftest import AuthActions, Database, config_class


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("garbage", "garbage"),
        (None, "unknown"),
    ],
)
def test_client_network(app: Flask, address: str | None, network: str) -> None:
    """A client is counted by its IPv4 address or its IPv6 network, or by what a proxy sends."""
    environ = {} if address is None else {"REMOTE_ADDR": address}
    with app.test_request_context(environ_base=environ):
        assert client_network() == network


def test_key_is_short(app: Flask) -> None:
    """A long name takes little memory in the counters, which keep it for an hour."""
    with app.test_request_context(method="POST", data={"username": "x" * 60_000}):
        assert len(account()) < 200


def test_log_names_nobody(auth: AuthActions, caplog: pytest.LogCaptureFixture) -> None:
    """The log says that a limit is reached, without what was typed as the name."""
    caplog.set_level("INFO")
    fail(auth, 11, "correct horse")
    assert "10 per 1 minute" in caplog.text
    assert "correct horse" not in caplog.text


@pytest.mark.parametrize("method", ["DELETE", "GET", "PATCH", "POST", "PUT"])
def test_every_method_is_limited(own_app: Flask, method: str) -> None:
    """A limit of an owner's own counts requests of all methods."""
    own_app.add_url_rule("/own", "own", limiter.limit("1/minute")(lambda: ""), methods=[method])
    client = own_app.test_client()
    assert [client.open("/own", method=method).status_code for _ in range(2)] == [200, 429]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which each check of a password adds the password. All are wrong."""
    passwords_checked: list[str] = []

    def check(_: str, password: str) -> bool:
        time.sleep(0.01)
        passwords_checked.append(password)
        return False

    monkeypatch.setattr(passwords, "check_password_hash", check)
    return passwords_checked


def fail(auth: AuthActions, times: int, name: str = "susan", **request: Any) -> int:
    """Log in without a password `times`, and return the last status."""
    return [auth.login(name, "", **request).status_code for _ in range(times)][-1]


def test_login_limit(auth: AuthActions, database: Database) -> None:
    """After ten failures in a minute, the right password is refused too."""
    database.add_user("susan")
    assert fail(auth, 10) == 200
    assert auth.login().status_code == 429


def test_refused_login_is_not_checked(auth: AuthActions, checked: list[str]) -> None:
    """The eleventh password is not checked."""
    statuses = [auth.login().status_code for _ in range(11)]
    assert (len(checked), statuses[-1]) == (10, 429)


def test_limit_tells_when(auth: AuthActions) -> None:
    """A 429 says how many seconds to wait."""
    fail(auth, 10)
    assert 0 < int(auth.login().headers["Retry-After"]) <= 60


def test_successes_count(auth: AuthActions, database: Database) -> None:
    """A log-in counts as an attempt although it succeeds."""
    database.add_user("susan")
    statuses = []
    for _ in range(11):
        statuses.append(auth.login().status_code)
        auth.logout()
    assert statuses.index(429) == 10


def test_page_is_not_limited(auth: AuthActions) -> None:
    """The page with the form can be opened after too many attempts."""
    fail(auth, 11)
    assert auth.client.get("/auth/login").status_code == 200


@pytest.mark.parametrize(
    ("address", "location"),
    [("192.0.2.1", None), ("192.0.2.2", "/"), ("2001:db8::1:2", "/")],
)
def test_networks_count_apart(
    auth: AuthActions, database: Database, address: str, location: str | None
) -> None:
    """Ten failures from one network leave an account open to other networks."""
    database.add_user("susan")
    fail(auth, 10, environ_base={"REMOTE_ADDR": "192.0.2.1"})
    assert auth.login(environ_base={"REMOTE_ADDR": address}).location == location


@pytest.mark.parametrize(("address", "location"), [("2001:db8::9", None), ("2001:db9::", "/")])
def test_addresses_of_network_count_together(
    auth: AuthActions, database: Database, address: str, location: str | None
) -> None:
    """All addresses of an IPv6 /64 count as one client, which has them all."""
    database.add_user("susan")
    fail(auth, 10, environ_base={"REMOTE_ADDR": "2001:db8::1"})
    assert auth.login(environ_base={"REMOTE_ADDR": address}).location == location


def test_limit_over_all_networks(auth: AuthActions, database: Database) -> None:
    """All networks together have 200 attempts an hour at one account, and more at another."""
    for name in ("susan", "david"):
        database.add_user(name)
    networks: list[dict[str, Any]] = [
        {"environ_base": {"REMOTE_ADDR": f"192.0.2.{n}"}} for n in range(21)
    ]
    assert [fail(auth, 10, **network) for network in networks] == [200] * 20 + [429]
    assert auth.login("david", **networks[-1]).location == "/"


def test_accounts_count_apart(auth: AuthActions, database: Database) -> None:
    """Ten failures for one account leave other accounts open to the same network."""
    database.add_user("david")
    fail(auth, 10)
    assert auth.login("david").location == "/"


def test_names_and_ids_count_apart(auth: AuthActions, susan: int, app: Flask) -> None:
    """The attempts of a user do not count for the user whose name is the number of the first."""
    for _ in range(10):
        auth.login()
    assert AuthActions(app.test_client()).login(str(susan)).status_code == 200


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("susan", " Susan"),
        ("susan", "ｓｕｓａｎ"),  # noqa: RUF001
        ("susan", "su\0san"),
        ("mİmi", "MI\u0307mi"),
        ("susan@example.com", "SUSAN@Example.com"),
    ],
)
def test_other_spelling_is_limited(auth: AuthActions, name: str, other: str) -> None:
    """A name in another case or Unicode form gives no more attempts."""
    fail(auth, 10, name)
    assert auth.login(other).status_code == 429


def test_limit_over_all_accounts(auth: AuthActions) -> None:
    """A network has 100 attempts a minute at all accounts together."""
    statuses = [fail(auth, 1, f"user{n}") for n in range(101)]
    assert (statuses[99], statuses[100]) == (200, 429)


@pytest.mark.parametrize("form", [{}, {"username": ""}, {"username": "\0"}])
def test_missing_name_logs_nothing(
    client: FlaskClient, caplog: pytest.LogCaptureFixture, form: dict[str, str]
) -> None:
    """A form without a name logs no error, which Sentry would take for an event."""
    assert client.post("/auth/login", data=form).status_code == 200
    assert caplog.records == []


@pytest.mark.usefixtures("susan")
def test_confirmations_are_limited(client: FlaskClient) -> None:
    """The password of a stolen session can be guessed ten times a minute, on all pages together."""
    pages = ["password", "email", "delete"] * 4
    form = {"current_password": ""}
    statuses = [client.post(f"/account/{page}", data=form).status_code for page in pages]
    assert statuses == [200] * 10 + [429] * 2


def test_registration_limit(auth: AuthActions) -> None:
    """A network can register 20 times a minute."""
    statuses = [auth.register(password="").status_code for _ in range(21)]
    assert (statuses[19], statuses[20]) == (200, 429)


def test_reset_limit(client: FlaskClient) -> None:
    """A network can use a reset link 20 times a minute."""
    statuses = [client.post("/auth/reset").status_code for _ in range(21)]
    assert (statuses[19] < 400, statuses[20]) == (True, 429)


@pytest.mark.parametrize("app", [config_class(REDIS_URL="redis://127.0.0.1:1/0")], indirect=True)
def test_limit_without_redis(auth: AuthActions, database: Database) -> None:
    """While Redis is unreachable, attempts are counted in memory, and others can log in."""
    database.add_user("david")
    assert fail(auth, 11) == 429
    assert auth.login("david").location == "/"


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


def test_forged_address_counts(auth: AuthActions) -> None:
    """Without a proxy in front, a client cannot choose its address."""
    fail(auth, 10)
    assert auth.login(headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 429


@pytest.mark.parametrize("app", [config_class(TRUSTED_PROXIES="1")], indirect=True)
def test_proxy_tells_address(auth: AuthActions, database: Database) -> None:
    """Behind a proxy, attempts count for the address that the proxy saw."""
    database.add_user("susan")
    fail(auth, 11, headers={"X-Forwarded-For": "192.0.2.1"})
    assert auth.login(headers={"X-Forwarded-For": "192.0.2.2"}).location == "/"


def test_parallel_guesses(
    own_app: Flask, checked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 80 guesses at the same time, ten are checked."""
    for line in ("in_line", "at_work"):
        monkeypatch.setattr(passwords, line, BoundedSemaphore(80))
    with ThreadPoolExecutor(80) as pool:
        guesses = [pool.submit(AuthActions(own_app.test_client()).login) for _ in range(80)]
    statuses = sorted(guess.result().status_code for guess in guesses)
    assert (statuses, len(checked)) == ([200] * 10 + [429] * 70, 10)
