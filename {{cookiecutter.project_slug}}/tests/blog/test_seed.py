"""The command flask seed."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import func, select

from app.auth.models import User, utcnow
from app.blog import seed as seed_module
from app.blog.models import POST_LENGTH, Post, Profile, followers
from app.blog.pagination import PAGE_SIZE
from app.blog.seed import PEOPLE
from tests.blog.conftest import Blog
from tests.conftest import AuthActions

TEXTS = [text for person in PEOPLE.values() for text in (person["about_me"], *person["posts"])]


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Return a terminal."""
    return app.test_cli_runner()


@pytest.mark.parametrize(("size", "users"), [(1, 8), (60, 8), (1000, 10)])
def test_size(runner: FlaskCliRunner, blog: Blog, size: int, users: int) -> None:
    """The command adds as many posts as its option says, and users to write them."""
    assert runner.invoke(args=["seed", "--size", str(size)]).exit_code == 0
    assert blog.read(select(func.count(Post.id))) == [size]
    assert blog.read(select(func.count(User.id))) == [users]


def test_first_user_follows_all_others(runner: FlaskCliRunner, blog: Blog) -> None:
    """The first user follows all other users, so that there is a timeline to see."""
    runner.invoke(args=["seed"])
    followed = select(followers.c.followed_id).where(followers.c.follower_id == 1)
    assert sorted(blog.read(followed)) == list(range(2, 9))


@pytest.mark.parametrize("text", TEXTS)
def test_text_fits(text: str) -> None:
    """The forms would accept each text: it has no more characters than they allow."""
    assert 0 < len(text) <= POST_LENGTH


def test_mentioned_users_exist() -> None:
    """The posts mention sample users only."""
    mentioned = re.findall(r"@(\w+)", str(PEOPLE))
    assert mentioned
    assert set(mentioned) <= PEOPLE.keys()


def test_texts_are_by_their_authors(runner: FlaskCliRunner, blog: Blog) -> None:
    """The posts on a profile are those of the person whom the profile describes."""
    runner.invoke(args=["seed"])
    for name, person in PEOPLE.items():
        user = select(User.id).where(User.username == name).scalar_subquery()
        [about_me] = blog.read(select(Profile.about_me).where(Profile.user_id == user))
        assert about_me == person["about_me"]
        assert set(blog.read(select(Post.body).where(Post.user_id == user))) <= {*person["posts"]}


@pytest.mark.parametrize(("size", "distance"), [(60, 60), (1000, PAGE_SIZE)])
def test_no_text_is_repeated(runner: FlaskCliRunner, blog: Blog, size: int, distance: int) -> None:
    """No text is repeated among the posts of the default size, nor on a page of a larger one."""
    runner.invoke(args=["seed", "--size", str(size)])
    texts = blog.read(select(Post.body).order_by(Post.id))
    windows = [texts[n : n + distance] for n in range(size - distance + 1)]
    assert [window for window in windows if len(set(window)) < distance] == []


def test_times_are_irregular(runner: FlaskCliRunner, blog: Blog) -> None:
    """The posts are of the last week, in order, and the intervals between them differ."""
    runner.invoke(args=["seed"])
    times = blog.read(select(Post.timestamp).order_by(Post.id))
    intervals = [later - earlier for earlier, later in pairwise(times)]
    assert utcnow() - seed_module.SPAN < times[0] < times[-1] < utcnow()
    assert min(intervals) >= timedelta(0)
    assert max(intervals) > 10 * min(intervals)


def test_login_is_printed(runner: FlaskCliRunner, auth: AuthActions) -> None:
    """The command prints a name and a password with which one can log in."""
    output = runner.invoke(args=["seed"]).output
    login = re.search(r"Log in as (\S+) with the password (\S+)", output)
    assert login
    assert auth.login(*login.groups()).location == "/"


def test_second_run_adds_nothing(runner: FlaskCliRunner, blog: Blog) -> None:
    """If there are users already, the command adds nothing."""
    blog.add_user("susan")
    assert runner.invoke(args=["seed"]).exit_code == 0
    assert blog.read(select(func.count(Post.id))) == [0]


def test_progress_is_printed(runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command prints a line after each batch."""
    monkeypatch.setattr(seed_module, "BATCH", 1000)
    lines = runner.invoke(args=["seed", "--size", "2500"]).output.splitlines()
    assert lines[:-1] == ["1,000 of 2,500 posts", "2,000 of 2,500 posts", "2,500 of 2,500 posts"]


def test_tables_are_missing(empty_app: Flask) -> None:
    """On a database that was never migrated, the command says what to do first."""
    result = empty_app.test_cli_runner().invoke(args=["seed"])
    assert result.exit_code == 1
    assert "flask db upgrade" in result.output
