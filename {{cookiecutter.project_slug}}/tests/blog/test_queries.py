"""The queries of the pages: what they find, and how the database executes them."""

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, insert, select, text

from app.auth.models import User
from app.blog import queries
from app.blog.models import Post, followers
from app.blog.pagination import ID_MAX, AnySelect
from app.extensions import db
from tests.blog.conftest import Blog

LIMIT = 4
STATEMENTS = {name: value for name, value in vars(queries).items() if isinstance(value, Select)}
PARAMETERS: dict[str, Any] = {"before": 1, "reader": 1, "owner": 1, "post": 1, "key": "susan"}


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """Let the tests of this module use the database."""
    with app.app_context():
        yield


@pytest.mark.parametrize("seed", range(8))
def test_timeline_is_complete(seed: int) -> None:
    """Before each id, the timeline has the same posts as the plain query finds."""
    reader, count = random_blog(random.Random(seed))
    ids = plain_timeline(reader)
    statement = queries.timeline_statement(LIMIT)
    for before in (*range(count + 2), ID_MAX + 1):
        found = db.session.scalars(statement, {"before": before, "reader": reader}).all()
        assert found == [n for n in ids if n < before][:LIMIT], before


def random_blog(generator: random.Random) -> tuple[int, int]:
    """Add random users, follows and posts. Return the id of a user, and the number of posts.

    Some users follow themselves, which only SQL can do. It must not show a post twice.
    """
    names = [f"user{n}" for n in range(generator.randint(1, 6))]
    users = [User(username=name, email=f"{name}@example.com", password_hash="") for name in names]
    db.session.add_all(users)
    db.session.commit()
    ids = [user.id for user in users]
    for follower in ids:
        for followed in generator.sample(ids, generator.randrange(len(ids))):
            row = {"follower_id": follower, "followed_id": followed}
            db.session.execute(insert(followers).values(row))
    authors = generator.choices(ids, k=generator.randrange(25))
    db.session.add_all(Post(body="Hello", user_id=author) for author in authors)
    db.session.commit()
    return generator.choice(ids), len(authors)


def plain_timeline(reader: int) -> list[int]:
    """Return the ids of all posts on the timeline of `reader`, newest first."""
    followed = select(followers.c.followed_id).where(followers.c.follower_id == reader)
    is_shown = (Post.user_id == reader) | Post.user_id.in_(followed)
    return list(db.session.scalars(select(Post.id).where(is_shown).order_by(Post.id.desc())))


@pytest.mark.parametrize(("count", "counted"), [(1, 1), (3, 2)])
def test_count_stops_at_limit(blog: Blog, david: int, count: int, counted: int) -> None:
    """A count of a profile goes no further than its limit, so that its cost has one too."""
    for _ in range(count):
        blog.add_post(david)
    posts = queries.count(select(Post.id).where(Post.user_id == User.id), limit=2)
    assert db.session.scalar(select(posts).where(User.id == david)) == counted


def plan(statement: AnySelect) -> list[str]:
    """Return the steps in which SQLite executes `statement`."""
    options = {"literal_binds": True}
    sql = statement.params(PARAMETERS).compile(db.engine, compile_kwargs=options)
    return [step.detail for step in db.session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]


@pytest.mark.parametrize("name", STATEMENTS)
def test_no_table_is_scanned(name: str) -> None:
    """Each statement searches the tables by their indexes, however many rows they have."""
    steps = plan(STATEMENTS[name])
    tables = db.metadata.tables
    assert [s for s in steps if re.match(rf"SCAN ({'|'.join(tables)})(_\d+)?\b", s)] == []
    assert [s for s in steps if s.startswith("SEARCH")] != []


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - {"TIMELINE"}))
def test_nothing_is_sorted(name: str) -> None:
    """An index has the rows in the order of the page. The timeline alone sorts some rows."""
    assert [step for step in plan(STATEMENTS[name]) if "ORDER BY" in step] == []


@pytest.mark.parametrize("name", sorted(STATEMENTS.keys() - {"ALL_POSTS"}))
def test_no_other_posts_are_read(name: str) -> None:
    """Only the page of all posts reads posts by id, regardless of who wrote them."""
    assert [step for step in plan(STATEMENTS[name]) if re.search("rowid[<>]", step)] == []
