"""Posts, profiles, and who follows whom, in the database."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import Column, delete, func, select

from app.auth.models import Login, User, utcnow
from app.blog import models
from app.blog.models import Post, Profile, followers
from app.extensions import Base, db
from tests.blog.conftest import Blog

BLOG = {"followers", "post", "profile"}
TABLES = [table for table in Base.metadata.tables.values() if table.name in BLOG]
REFERENCES = [column for table in TABLES for column in table.c if column.foreign_keys]


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """Let the tests of this module use the database."""
    with app.app_context():
        yield


def test_first_visit_adds_profile(david: int) -> None:
    """A user has no profile before the first visit, and an empty profile after it."""
    user = db.session.get_one(User, david)
    assert user.profile is None
    models.note_seen(user)
    assert db.session.get_one(Profile, david).about_me == ""


@pytest.mark.parametrize(("age", "is_written"), [(59, False), (61, True)])
def test_last_seen(blog: Blog, david: int, age: int, is_written: bool) -> None:
    """A visit is stored unless the last stored visit is less than a minute old."""
    before = utcnow() - timedelta(seconds=age)
    blog.add(Profile(user_id=david, last_seen=before))
    models.note_seen(db.session.get_one(User, david))
    assert (blog.read(select(Profile.last_seen)) > [before]) is is_written


def test_second_visit_leaves_nothing_to_store(blog: Blog, david: int) -> None:
    """A visit within a minute changes no row, so that the page's query flushes nothing."""
    blog.add(Profile(user_id=david))
    models.note_seen(db.session.get_one(User, david))
    assert not db.session.dirty


def test_profile_is_loaded_with_user(blog: Blog, david: int) -> None:
    """Loading a user and the user's profile takes one query."""
    blog.add(Profile(user_id=david))
    with blog.recorded() as statements:
        assert db.session.get_one(User, david).profile.about_me == ""
    assert len(statements) == 1


@pytest.mark.parametrize("column", REFERENCES, ids=str)
def test_account_is_deleted(blog: Blog, david: int, column: Column[int]) -> None:
    """When an account is deleted, the database deletes all rows that refer to it, and no others."""
    susan = blog.add_user("susan")
    for user, other in ((susan, david), (david, susan), (david, david)):
        blog.add_post(user)
        blog.add_follow(user, other)
    for user in (susan, david):
        blog.add(Profile(user_id=user))
        blog.add(Login(token=f"token-{user}", user_id=user))
    blog.execute(delete(User).where(User.id == susan))
    assert set(blog.read(select(column))) == {david}


def test_id_is_not_reused(blog: Blog, david: int) -> None:
    """The id of a deleted post is not given to another post."""
    deleted = blog.add_post(david)
    blog.execute(delete(Post))
    assert blog.add_post(david) > deleted


@pytest.mark.parametrize(
    ("first", "second", "age", "count"),
    [("Hello", "Hello", 0, 1), ("Hello", "Hello", 11, 2), ("Hello", "Hi", 0, 2)],
)
def test_repeated_post(
    blog: Blog, david: int, first: str, second: str, age: int, count: int
) -> None:
    """A post is not added if the author's newest post is equal and at most ten seconds old."""
    time = utcnow() - timedelta(seconds=age)
    blog.add(Post(user_id=david, body=first, timestamp=time))
    models.publish(david, second)
    assert blog.read(select(func.count(Post.id))) == [count]


def test_two_authors_write_the_same(blog: Blog, david: int) -> None:
    """A post may be equal to the newest post of another author."""
    blog.add_post(blog.add_user("susan"))
    models.publish(david, "Hello")
    assert blog.read(select(Post.user_id).order_by(Post.id.desc()))[0] == david


@pytest.mark.parametrize(
    ("clicks", "count"), [("f", 1), ("ff", 1), ("u", 0), ("fu", 0), ("fuf", 1)]
)
def test_follow(blog: Blog, david: int, clicks: str, count: int) -> None:
    """Following and unfollowing a user twice is the same as once."""
    susan = blog.add_user("susan")
    for click in clicks:
        (models.follow if click == "f" else models.unfollow)(susan, david)
    assert blog.read(select(followers.c.follower_id)) == [susan] * count
