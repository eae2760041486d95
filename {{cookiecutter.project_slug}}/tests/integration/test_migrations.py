"""The migrations make what the models say."""

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import column, insert, inspect, table

from app.extensions import db


def test_models_agree(empty_app: Flask) -> None:
    """After an upgrade `flask db check` finds nothing to add."""
    with empty_app.app_context():
        flask_migrate.upgrade()
        flask_migrate.check()
        assert inspect(db.engine).has_table("post")


def test_downgrade(empty_app: Flask) -> None:
    """The way back leaves no table of ours."""
    with empty_app.app_context():
        flask_migrate.upgrade()
        flask_migrate.downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]


@pytest.mark.parametrize(
    "second",
    [
        {"username": "Susan", "email": "other@example.com"},
        {"username": "other", "email": "Susan@example.com"},
    ],
)
def test_duplicates_are_named(empty_app: Flask, second: dict[str, str]) -> None:
    """Where users differ only in case, the migration says which, and what to do."""
    first = {"username": "susan", "email": "susan@example.com"}
    users = table("user", column("username"), column("email"), column("password_hash"))
    with empty_app.app_context():
        flask_migrate.upgrade(revision="0001")
        db.session.execute(insert(users), [row | {"password_hash": ""} for row in (first, second)])
        db.session.commit()
        with pytest.raises(SystemExit, match=r"ids are 1, 2\..*\nUPDATE"):
            flask_migrate.upgrade()
