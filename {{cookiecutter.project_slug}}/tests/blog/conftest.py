"""Fixtures: posts, and users who follow each other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, insert

from app.blog.models import Post, followers
from app.extensions import db
from tests.conftest import Database


class Blog(Database):
    """Adds posts, and lets users follow each other."""

    def add_post(self, author: int, body: str = "Hello") -> int:
        """Add a post and return its id."""
        post = Post(user_id=author, body=body)
        self.add(post)
        return post.id

    def add_follow(self, follower: int, followed: int) -> None:
        """Let one user follow another."""
        row = {"follower_id": follower, "followed_id": followed}
        self.execute(insert(followers).values(row))

    @contextmanager
    def recorded(self) -> Iterator[list[str]]:
        """Yield a list to which all statements are added that are executed meanwhile."""
        statements: list[str] = []

        def record(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            statements.append(statement)

        with self.app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", record)
        yield statements
        event.remove(engine, "before_cursor_execute", record)


@pytest.fixture
def blog(database: Database) -> Blog:
    """Return the database of `app`, with posts."""
    return Blog(database.app)


@pytest.fixture
def david(database: Database) -> int:
    """Return the id of another user."""
    return database.add_user("david")
