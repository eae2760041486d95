"""Requests that change the same rows at the same time."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, event, select

from app.auth.models import User
from app.blog.models import Post, Profile
from app.extensions import db
from tests.blog.conftest import Blog

Interrupt = Callable[[str, Callable[[], object]], None]


@pytest.fixture
def app(own_app: Flask) -> Flask:
    """Return an app with a database file. In memory, all requests would share a connection."""
    return own_app


@pytest.fixture
def interrupt(app: Flask) -> Iterator[Interrupt]:
    """Yield a function that lets an action happen before the next statement of a kind."""
    thread = ThreadPoolExecutor(1)  # in this thread, the action would share the request's session

    def run_before(beginning: str, action: Callable[[], object]) -> None:
        actions = [action]

        def listen(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            if statement.startswith(beginning) and actions:
                thread.submit(actions.pop()).result()

        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", listen)

    yield run_before
    thread.shutdown()


def test_first_visits(client: FlaskClient, blog: Blog, susan: int, interrupt: Interrupt) -> None:
    """Two first visits of a user at the same time do no harm, and add one profile."""
    interrupt("INSERT INTO profile", lambda: client.get("/explore"))
    assert client.get("/edit_profile").status_code == 200
    assert blog.read(select(Profile.user_id)) == [susan]


@pytest.mark.parametrize(
    ("path", "beginning"),
    [("/", "INSERT INTO post"), ("/edit_profile", "UPDATE profile")],
)
def test_account_is_deleted_meanwhile(
    client: FlaskClient, blog: Blog, susan: int, interrupt: Interrupt, path: str, beginning: str
) -> None:
    """If an account is deleted while a form is handled, the log-in page is next."""
    client.get("/explore")  # adds the profile
    interrupt(beginning, lambda: blog.execute(delete(User).where(User.id == susan)))
    response = client.post(path, data={"post": "Hello", "about_me": "Likes tea"})
    assert response.location == "/auth/login"
    assert blog.read(select(Post.user_id)) + blog.read(select(Profile.user_id)) == []


def test_double_click(client: FlaskClient, blog: Blog, susan: int, interrupt: Interrupt) -> None:
    """Two identical forms that are handled at the same time publish one post."""

    def click() -> str | None:
        return client.post("/", data={"post": "Hello"}).location

    client.get("/explore")  # adds the profile
    interrupt("INSERT INTO post", click)
    assert click() == "/"
    assert blog.read(select(Post.user_id)) == [susan]


@pytest.mark.usefixtures("susan")
def test_followed_account_is_deleted(
    client: FlaskClient, blog: Blog, david: int, interrupt: Interrupt
) -> None:
    """If an account is deleted while somebody follows it, the page says that it does not exist."""
    interrupt("INSERT INTO followers", lambda: blog.execute(delete(User).where(User.id == david)))
    response = client.post("/follow/david", follow_redirects=True)
    assert (response.request.path, response.status_code) == ("/user/david", 404)
