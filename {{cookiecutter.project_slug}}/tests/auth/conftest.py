"""Helpers: whether a browser is logged in, and changes during a hash."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.security import check_password_hash

from app.auth import passwords
from app.auth.models import User
from app.extensions import db

NEW = "battery staple"
Change = Callable[[User], object]
DuringCheck = Callable[[Change], None]


def is_logged_in(client: FlaskClient) -> bool:
    """Return whether `client` may see a private page."""
    return client.get("/account").status_code == 200


@pytest.fixture
def during_check(app: Flask, monkeypatch: pytest.MonkeyPatch) -> DuringCheck:
    """Return a function that lets another request change the user while a password is checked."""

    def schedule(change: Change) -> None:
        def check(stored: str, password: str) -> bool:
            change_user(app, change)
            return check_password_hash(stored, password)

        monkeypatch.setattr(passwords, "check_password_hash", check)

    return schedule


def change_user(app: Flask, change: Change) -> None:
    """Change the only user as another request would, with a session of its own."""
    with app.app_context():
        change(db.session.scalars(select(User)).one())
