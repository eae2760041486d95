"""The timeline against the query that everybody would write first."""

import random
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from app import timelines
from app.extensions import db
from app.models import Post, User, followers
from app.pagination import ID_MAX, Cursor, Statements, newer, older
from app.timelines import timeline, timeline_statement
from tests.conftest import Blog

LIMIT = 4


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """Let the tests of this module use the database."""
    with app.app_context():
        yield


@pytest.mark.parametrize("seed", range(8))
def test_timeline_is_complete(seed: int) -> None:
    """From every post on, in both directions, the timeline is what the plain query finds."""
    reader, posts = random_blog(random.Random(seed))
    ids = plain_timeline(reader)
    for nearest in (older, newer):
        statement = timeline_statement(nearest, LIMIT)
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


@pytest.mark.parametrize("statements", [timelines.FOLLOWERS_OF, timelines.FOLLOWED_BY])
def test_people_are_read_in_order(statements: Statements) -> None:
    """A page of followers reads an index in its order: nothing is scanned or sorted."""
    for statement in statements:
        query = statement.compile(db.engine, compile_kwargs={"render_postcompile": True})
        parameters = {**query.params, "start": 1, "user": 1}
        plan = db.session.connection().exec_driver_sql(
            f"EXPLAIN QUERY PLAN {query}", tuple(parameters[n] for n in query.positiontup or ())
        )
        assert [step for *_, step in plan if not step.startswith("SEARCH")] == []
