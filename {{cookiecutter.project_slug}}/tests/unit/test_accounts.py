"""Who may log in."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.orm import ORMExecuteState

from app import accounts
from app.accounts import (
    LOGGED_IN,
    authenticate,
    delete_account,
    dummy_hash,
    is_weak,
    reset_token,
    serializer,
    user_of_token,
)
from app.extensions import db
from app.models import Login, User, utcnow
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


def test_unknown_names_share_a_hash() -> None:
    """The hash for unknown names is made once. Making it takes as long as a check."""
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
    """Common passwords are weak, and those that are short without the user's name."""
    assert is_weak(password, "Susan") is weak


@pytest.mark.parametrize("mark", ["", "z"])
def test_token_of_another_password(mark: str) -> None:
    """A reset link is invalid unless it has the mark of the current password."""
    susan = db.session.scalar(select(User))
    assert susan
    assert user_of_token(reset_token(susan)) == susan
    assert user_of_token(serializer().dumps([susan.id, mark])) is None


def test_token_finds_one_user(blog: Blog) -> None:
    """The token of a login finds its user and nobody else."""
    david, zoe = blog.user("david"), blog.user("zoe")
    owners = {"a": zoe, "b": david, "c": zoe}
    db.session.add_all(Login(token=token, user_id=owners[token]) for token in owners)
    parameters = {"token": "b", "since": utcnow() - timedelta(days=1)}
    assert [user.id for user in db.session.scalars(LOGGED_IN, parameters)] == [david]


def test_delete_locks_the_user(blog: Blog) -> None:
    """The user's row is locked first on PostgreSQL, so that no new row can refer to it."""
    user, executed = db.session.get_one(User, blog.user("david")), []

    def note(state: ORMExecuteState) -> None:
        executed.append(str(state.statement))

    event.listen(db.session(), "do_orm_execute", note)
    delete_account(user)
    assert executed[0].endswith("FOR UPDATE")
