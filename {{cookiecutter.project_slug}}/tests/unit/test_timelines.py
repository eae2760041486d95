"""The timeline against the query that everybody would write first."""

import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, select, text

from app import timelines
from app.extensions import db
from app.models import Post, User, followers
from app.pagination import ID_MAX, AnySelect, Cursor, Statements, newer, older
from app.timelines import recent_statement, timeline, timeline_statement
from tests.conftest import Blog

LIMIT = 4


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """Let the tests of this module use the database."""
    with app.app_context():
        yield


@pytest.mark.parametrize("build", [recent_statement, timeline_statement])
@pytest.mark.parametrize("seed", range(8))
def test_timeline_is_complete(seed: int, build: Callable[..., AnySelect]) -> None:
    """From every post on, in both directions, the timeline is what the plain query finds."""
    reader, posts = random_blog(random.Random(seed))
    ids = plain_timeline(reader)
    for nearest in (older, newer):
        statement = build(nearest, LIMIT)
        for start in (*range(posts + 2), ID_MAX + 1):
            found = db.session.scalars(statement, {"start": start, "reader": reader.id}).all()
            if nearest is older:
                expected = [n for n in reversed(ids) if n < start][:LIMIT]
            else:
                expected = [n for n in ids if n > start][:LIMIT]
            assert found == expected, (nearest, start)


def random_blog(generator: random.Random) -> tuple[User, int]:
    """Add random users, follows and posts. Return one of the users, and the number of posts."""
    count = generator.randint(1, 6)
    users = [User(username=f"u{n}", email=f"u{n}@a.b", password_hash="") for n in range(count)]
    db.session.add_all(users)
    db.session.flush()
    for one in users:
        for other in generator.sample(users, generator.randrange(count)):
            if other != one:
                one.follow(other.id)
    posts = generator.randrange(25)
    for _ in range(posts):
        db.session.add(Post(body="Hello", user_id=generator.choice(users).id))
    db.session.commit()
    return generator.choice(users), posts


def plain_timeline(reader: User) -> list[int]:
    """Return the ids of all posts on the timeline of `reader`, oldest first."""
    followed = select(followers.c.followed_id).where(followers.c.follower_id == reader.id)
    own_or_followed = (Post.user_id == reader.id) | Post.user_id.in_(followed)
    return list(db.session.scalars(select(Post.id).where(own_or_followed).order_by(Post.id)))


def test_post_of_quiet_account_is_found(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A post is on the timeline however many others have been written since."""
    narrow = Statements(*(recent_statement(nearest, 26, window=2) for nearest in (older, newer)))
    monkeypatch.setattr(timelines, "RECENT", narrow)
    susan, david = blog.user("susan"), blog.user("david")
    post = blog.post(susan)
    for _ in range(3):
        blog.post(david)
    assert [row.id for row in timeline(susan, Cursor()).rows] == [post]


def test_following_oneself_doubles_nothing(blog: Blog) -> None:
    """A row that only SQL could add, of a user who follows themselves, does no harm."""
    susan = blog.user("susan")
    blog.follow(susan, susan)
    post = blog.post(susan)
    assert [row.id for row in timeline(susan, Cursor()).rows] == [post]


def test_counts_are_capped(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile counts up to a limit, so that it costs the same with a million followers."""
    susan = blog.user("susan")
    for number in range(3):
        blog.follow(blog.user(f"user{number}"), susan)
    counted = timelines.count(
        select(followers.c.follower_id).where(followers.c.followed_id == User.id), limit=2
    )
    assert db.session.scalar(select(counted).where(User.id == susan)) == 2


STATEMENTS = [v for v in vars(timelines).values() if isinstance(v, Select)]
STATEMENTS += [s for v in vars(timelines).values() if isinstance(v, Statements) for s in v]
IDS = dict.fromkeys(("start", "reader", "author", "post", "user"), 1)
VALUES: dict[str, Any] = {**IDS, "username": "susan"}


def plan(statement: AnySelect) -> list[str]:
    """Return the steps in which SQLite executes `statement`."""
    sql = statement.params(VALUES).compile(db.engine, compile_kwargs={"literal_binds": True})
    return [step.detail for step in db.session.execute(text(f"EXPLAIN QUERY PLAN {sql}"))]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_table_is_scanned(statement: AnySelect) -> None:
    """However large the tables are, each is searched by an index."""
    assert [s for s in plan(statement) if re.match("SCAN (post|user|followers)", s)] == []


ORDERED = (
    *(timelines.ALL_POSTS, timelines.POSTS_OF, timelines.RECENT),
    *(timelines.FOLLOWERS_OF, timelines.FOLLOWED_BY),
)


@pytest.mark.parametrize("statement", [one for both in ORDERED for one in both])
def test_no_rows_are_sorted(statement: AnySelect) -> None:
    """However many rows match, an index holds them in the order of the page."""
    assert [step for step in plan(statement) if "ORDER BY" in step] == []
