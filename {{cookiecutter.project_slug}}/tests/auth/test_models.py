"""Users, and how they are found."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, event
from sqlalchemy.exc import IntegrityError

from app.auth.models import User, user_named, user_with_email
from app.extensions import db
from tests.conftest import QUICK_HASH, Database

# Each pair is one name: in another case, or in another Unicode form.
SAME_NAMES = [
    ("susan", "SUSAN"),
    ("susan", "ｓｕｓａｎ"),  # noqa: RUF001
    ("susan", "ſusan"),  # noqa: RUF001
    ("hanna", "ℌanna"),  # noqa: RUF001
    ("straße", "STRASSE"),
    ("josé", "jose\u0301"),
    ("mİmi", "Mi\u0307MI"),
]


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """Push a context of the app."""
    with app.app_context():
        yield


@pytest.mark.parametrize(("name", "other"), SAME_NAMES)
def test_other_spelling_finds_user(database: Database, name: str, other: str) -> None:
    """A name is found in any case and Unicode form."""
    user_id = database.add_user(name)
    found = user_named(other)
    assert found and found.id == user_id


@pytest.mark.parametrize(("name", "other"), SAME_NAMES)
def test_other_spelling_finds_email(database: Database, name: str, other: str) -> None:
    """An e-mail address is found in any case and Unicode form."""
    user_id = database.add_user(name)
    found = user_with_email(f"{other}@Example.com")
    assert found and found.id == user_id


@pytest.mark.parametrize("column", ["username", "email"])
def test_other_spelling_is_taken(database: Database, column: str) -> None:
    """The database refuses a name or an e-mail address in another spelling."""
    database.add_user("susan")
    values = {"username": "zoe", "email": "zoe@example.com", "password_hash": QUICK_HASH}
    values[column] = {"username": "SUSAN", "email": "SUSAN@example.com"}[column]
    with pytest.raises(IntegrityError, match=f"{column}_key"):
        database.add(User(**values))


@pytest.mark.parametrize("name", ["susan\0", "\0", "su\0san"])
def test_name_with_nul(database: Database, name: str) -> None:
    """A name with NUL, which PostgreSQL refuses, is no user's name."""
    database.add_user("susan")
    assert user_named(name) is None


def test_id_is_not_used_twice(database: Database) -> None:
    """The next user does not get the id of a deleted one."""
    deleted = database.add_user("susan")
    database.execute(delete(User))
    assert database.add_user("zoe") != deleted


def test_users_differ(database: Database) -> None:
    """Two users are not equal, whoever is logged in."""
    susan, david = (database.add_user(name) for name in ("susan", "david"))
    assert db.session.get(User, susan) != db.session.get(User, david)


@pytest.mark.parametrize("find", [user_named, user_with_email])
def test_user_is_found_by_index(find: Callable[[str], User | None]) -> None:
    """The search for a user reads an index, so that its time does not grow with their number."""
    executed: list[tuple[str, Any]] = []

    def note(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        executed.append((statement, parameters))

    event.listen(db.engine, "before_cursor_execute", note)
    find("susan")
    event.remove(db.engine, "before_cursor_execute", note)
    ((statement, parameters),) = executed
    plan = db.session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    assert all(step.detail.startswith("SEARCH") for step in plan)
