"""Users, and whom they follow."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Select, text

from app import timelines
from app.extensions import db
from app.models import WITH_EMAIL, WITH_NAME, User, user_named, utcnow
from tests.conftest import Blog


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """Let the tests of this module use the database."""
    with app.app_context():
        yield


@pytest.fixture
def user(blog: Blog) -> User:
    """Return a user."""
    return db.session.get_one(User, blog.user("susan"))


def test_password_is_hashed(user: User) -> None:
    """The database holds no password."""
    user.set_password("swordfish")
    assert "swordfish" not in user.password_hash


def test_name_with_nul() -> None:
    """A name that PostgreSQL refuses is nobody's."""
    assert user_named("susan\0") is None


@pytest.mark.parametrize(("age", "written"), [(59, False), (61, True)])
def test_seen_once_a_minute(user: User, age: int, written: bool) -> None:
    """A visit is stored once a minute, not with every request."""
    before = utcnow() - timedelta(seconds=age)
    user.last_seen = before
    user.note_seen()
    assert (user.last_seen > before) is written


def test_follow_twice(blog: Blog, user: User) -> None:
    """Following a user twice is the same as once."""
    david = blog.user("david")
    user.follow(david)
    user.follow(david)
    profile = timelines.profile("david", user.id)
    assert profile
    assert (profile.follower_count, profile.followed_count, profile.is_followed) == (1, 0, True)


@pytest.mark.parametrize(("statement", "column"), [(WITH_NAME, "username"), (WITH_EMAIL, "email")])
def test_user_is_found_by_index(statement: Select[User], column: str) -> None:
    """No number of users makes the search for one slow."""
    query = f"EXPLAIN QUERY PLAN {statement.compile(db.engine)}"
    (step,) = db.session.execute(text(query.replace("?", ":text")), {"text": "susan"})
    assert f"USING INDEX ix_user_{column}_lower" in step.detail
