"""The migrations make what the models say."""

import flask_migrate
from flask import Flask
from sqlalchemy import inspect

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
