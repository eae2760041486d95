"""Who may log in."""

from collections.abc import Iterator

import pytest
from flask import Flask

from app import accounts
from app.accounts import authenticate
from tests.conftest import PASSWORD, Blog


@pytest.fixture(autouse=True)
def context(app: Flask, blog: Blog) -> Iterator[None]:
    """Let the tests of this module use a database with a user."""
    blog.user("susan")
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("username", "password", "found"),
    [
        ("susan", PASSWORD, True),
        ("susan", "wrong", False),
        ("susan", "", False),
        ("nobody", PASSWORD, False),
        ("susan\0", PASSWORD, False),
    ],
)
def test_authenticate(username: str, password: str, found: bool) -> None:
    """Only the right name with the right password returns a user."""
    assert (authenticate(username, password) is not None) is found


def test_unknown_name_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown name costs the check of a password too, so that the time reveals nothing."""
    checked: list[str] = []
    monkeypatch.setattr(accounts, "check_password_hash", lambda stored, _: checked.append(stored))
    authenticate("nobody", "guess")
    assert [stored.partition(":")[0] for stored in checked] == ["scrypt"]
