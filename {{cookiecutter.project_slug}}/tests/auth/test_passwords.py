"""Which passwords are weak, how they are checked, and how many at once."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Lock

import pytest
from flask import Flask
from werkzeug.exceptions import ServiceUnavailable

from app.auth import passwords
from app.auth.passwords import dummy_hash, hash_of, is_right, is_weak
from tests.conftest import PASSWORD, QUICK_HASH, AuthActions


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """Push a context of the app."""
    with app.app_context():
        yield


@pytest.mark.usefixtures("context")
def test_hash_hides_password() -> None:
    """A hash does not contain the password."""
    assert PASSWORD not in hash_of(PASSWORD)


@pytest.mark.usefixtures("context")
def test_hashes_are_salted() -> None:
    """Two hashes of one password differ."""
    assert hash_of(PASSWORD) != hash_of(PASSWORD)


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize(
    ("password", "stored", "right"),
    [
        (PASSWORD, QUICK_HASH, True),
        (PASSWORD.upper(), QUICK_HASH, False),
        ("", QUICK_HASH, False),
        (PASSWORD, None, False),
    ],
    ids=["right", "other case", "empty", "no hash"],  # the hash has another salt in each run
)
def test_is_right(password: str, stored: str | None, right: bool) -> None:
    """A password is right if the stored hash is its own."""
    assert is_right(password, stored) is right


@pytest.mark.usefixtures("context")
def test_no_hash_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a stored hash, the dummy hash is checked, so that the time reveals nothing."""
    checked: list[str] = []
    monkeypatch.setattr(passwords, "check_password_hash", lambda stored, _: checked.append(stored))
    is_right("guess", None)
    assert checked == [dummy_hash()]


@pytest.mark.usefixtures("context")
def test_dummy_password_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The password of the dummy hash is wrong for a user without a stored hash."""
    monkeypatch.setattr(passwords, "check_password_hash", lambda *_: True)
    assert not is_right("guess", None)


def test_dummy_hash_is_made_once() -> None:
    """The dummy hash stays the same, because making it takes as long as a check."""
    assert dummy_hash() == dummy_hash()


@pytest.mark.parametrize(
    ("password", "weak"),
    [
        ("8letters", False),
        ("7letter", True),
        ("PassWord", True),
        ("susan-123456", True),
        ("susan-1234567", False),
    ],
)
def test_weak_password(password: str, weak: bool) -> None:
    """A password is weak if it is common, or short without the user's name."""
    assert is_weak(password, "Susan") is weak


def test_hashes_at_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than AT_ONCE passwords are checked at the same time."""
    lock, running, most = Lock(), 0, 0

    def check(*_: str) -> bool:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.01)
        with lock:
            running -= 1
        return True

    def guess(_: int) -> bool:
        with app.app_context():
            return is_right("guess", QUICK_HASH)

    monkeypatch.setattr(passwords, "check_password_hash", check)
    with ThreadPoolExecutor(passwords.WAITING) as pool:
        assert all(pool.map(guess, range(passwords.WAITING)))
    assert most == passwords.AT_ONCE


@pytest.fixture
def one_place(monkeypatch: pytest.MonkeyPatch) -> BoundedSemaphore:
    """Let one request at a time wait for a hash."""
    place = BoundedSemaphore(1)
    monkeypatch.setattr(passwords, "in_line", place)
    return place


def test_too_many_wait(auth: AuthActions, one_place: BoundedSemaphore) -> None:
    """A log-in is answered with a 503 and Retry-After where too many wait already."""
    with one_place:
        response = auth.login()
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")


@pytest.mark.usefixtures("one_place")
def test_place_is_given_back(auth: AuthActions) -> None:
    """A log-in gives its place in the line to the next one."""
    assert [auth.login().status_code for _ in range(2)] == [200, 200]


@pytest.mark.usefixtures("one_place", "context")
def test_crash_gives_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash that fails gives its place in the line to the next one."""
    monkeypatch.setattr(passwords, "check_password_hash", lambda *_: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            is_right("guess", QUICK_HASH)


@pytest.mark.usefixtures("context")
def test_full_line_hashes_nothing(one_place: BoundedSemaphore) -> None:
    """A hash is refused for five seconds where too many wait already."""
    with one_place, pytest.raises(ServiceUnavailable) as refusal:
        hash_of(PASSWORD)
    assert refusal.value.retry_after == 5
