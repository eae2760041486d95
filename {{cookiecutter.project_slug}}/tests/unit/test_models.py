"""Users, and the timeline."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from app import models
from app.extensions import db
from app.models import Post, User, authenticate, followers, timeline, user_named, utcnow
from app.pagination import Cursor
from tests.conftest import PASSWORD, Blog

PAGE = 3


@pytest.fixture(autouse=True)
def context(app: Flask) -> Iterator[None]:
    """Let the tests of this module use the database."""
    with app.app_context():
        yield


@pytest.fixture
def user(blog: Blog) -> User:
    """A user."""
    return db.session.get_one(User, blog.user("susan"))


def test_password_is_hashed(user: User) -> None:
    """Nobody can read a password in the database."""
    user.set_password("swordfish")
    assert "swordfish" not in user.password_hash


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
def test_authenticate(user: User, username: str, password: str, found: bool) -> None:
    """Only the right name with the right password is somebody."""
    assert (authenticate(username, password) == user) is found


def test_unknown_name_is_hashed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody has costs the check of a password too: time tells nothing."""
    checked: list[str] = []
    monkeypatch.setattr(models, "check_password_hash", lambda stored, _: checked.append(stored))
    authenticate("nobody", "guess")
    assert [stored.partition(":")[0] for stored in checked] == ["scrypt"]


def test_name_with_nul() -> None:
    """A name that PostgreSQL would choke on is nobody's."""
    assert user_named("susan\0") is None


@pytest.mark.parametrize(("age", "written"), [(59, False), (61, True)])
def test_seen_once_a_minute(user: User, age: int, written: bool) -> None:
    """A visit is written down once a minute, not with every click."""
    before = utcnow() - timedelta(seconds=age)
    user.last_seen = before
    user.note_seen()
    assert (user.last_seen > before) is written


def test_follow_twice(blog: Blog, user: User) -> None:
    """Following somebody twice is following them."""
    david = db.session.get_one(User, blog.user("david"))
    user.follow(david)
    user.follow(david)
    assert david.follow_counts() == (1, 0)


@pytest.mark.parametrize("seed", range(8))
def test_timeline_is_complete(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From every post on, in both directions, the timeline is what the plain query finds."""
    monkeypatch.setattr(models, "PAGE_SIZE", PAGE)
    reader, posts = random_blog(random.Random(seed))
    ids = plain_timeline(reader)
    cursors = [
        Cursor(),
        *(Cursor(post, after) for post in range(posts + 2) for after in (False, True)),
    ]
    for cursor in cursors:
        found = db.session.scalars(timeline(reader, cursor).limit(PAGE + 1))
        assert [post.id for post in found] == page_of(ids, cursor), cursor


def random_blog(dice: random.Random) -> tuple[User, int]:
    """Fill the database with users, follows and posts; one of the users, and how many posts."""
    count = dice.randint(1, 6)
    users = [User(username=f"u{n}", email=f"u{n}@a.b", password_hash="") for n in range(count)]
    db.session.add_all(users)
    db.session.flush()
    for one in users:
        for other in dice.sample(users, dice.randrange(count)):
            if other != one:
                one.follow(other)
    posts = dice.randrange(25)
    for _ in range(posts):
        db.session.add(Post(body="Hello", user_id=dice.choice(users).id))
    db.session.commit()
    return dice.choice(users), posts


def plain_timeline(reader: User) -> list[int]:
    """The ids of all posts for `reader`, by the query that everybody would write first."""
    followed = select(followers.c.followed_id).where(followers.c.follower_id == reader.id)
    own_or_followed = (Post.user_id == reader.id) | Post.user_id.in_(followed)
    return list(db.session.scalars(select(Post.id).where(own_or_followed).order_by(Post.id)))


def page_of(ids: list[int], cursor: Cursor) -> list[int]:
    """What of `ids`, which grow, is on the page at `cursor`, and one more."""
    if cursor.after:
        return [n for n in ids if n > (cursor.id or 0)][: PAGE + 1]
    return [n for n in reversed(ids) if cursor.id is None or n < cursor.id][: PAGE + 1]


def test_following_oneself_doubles_nothing(blog: Blog, user: User) -> None:
    """A row that came by SQL, and that the app would not write, does no harm."""
    blog.follow(user.id, user.id)
    post = blog.post(user.id)
    assert [row.id for row in db.session.scalars(timeline(user, Cursor()))] == [post]
