"""The migrations create what the models describe, and an owner's own migrations lose nothing."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import inspect, text

from app.auth.models import Login, User
from app.extensions import db
from tests.conftest import ROOT

# What Alembic writes for a longer column and a new one: on SQLite, the table is made anew.
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "own", "{head}"


def upgrade():
    with op.batch_alter_table("user") as batch:
        batch.alter_column("password_hash", type_=sa.String(300))
        batch.add_column(sa.Column("language", sa.String(5)))


def downgrade():
    with op.batch_alter_table("user") as batch:
        batch.drop_column("language")
        batch.alter_column("password_hash", type_=sa.String(256))
"""


@pytest.fixture
def migrations(empty_app: Flask, tmp_path: Path) -> Iterator[str]:
    """Return a copy of the migrations, with one of an owner after the newest one."""
    folder = shutil.copytree(ROOT / "migrations", tmp_path / "migrations")
    with empty_app.app_context():
        flask_migrate.upgrade(directory=str(folder))
        head = db.session.scalar(text("SELECT version_num FROM alembic_version"))
        db.session.rollback()
        (folder / "versions/own.py").write_text(MIGRATION.format(head=head), encoding="utf-8")
        yield str(folder)


def test_models_agree(empty_app: Flask) -> None:
    """After an upgrade, `flask db check` finds nothing to add."""
    with empty_app.app_context():
        flask_migrate.upgrade()
        flask_migrate.check()
        assert inspect(db.engine).has_table("user")


def test_downgrade(empty_app: Flask) -> None:
    """A downgrade to the beginning leaves no table but Alembic's own."""
    with empty_app.app_context():
        flask_migrate.upgrade()
        flask_migrate.downgrade(revision="base")
        tables = inspect(db.engine).get_table_names()
    assert set(tables) <= {"alembic_version", "sqlite_sequence"}


def test_nothing_to_migrate(migrations: str) -> None:
    """`flask db migrate` writes no file where the models have not changed."""
    Path(migrations, "versions/own.py").unlink()
    before = sorted(Path(migrations, "versions").iterdir())
    flask_migrate.migrate(directory=migrations, message="nothing")
    assert sorted(Path(migrations, "versions").iterdir()) == before


def schema() -> dict[str, Any]:
    """Return the indexes and constraints of each table."""
    found = inspect(db.engine)
    return {
        name: (
            found.get_pk_constraint(name),
            sorted(found.get_foreign_keys(name), key=str),
            sorted(found.get_unique_constraints(name), key=str),
            sorted(found.get_indexes(name), key=str),
        )
        for name in found.get_table_names()
    }


@pytest.mark.parametrize("way", ["upgrade", "downgrade"])
def test_indexes_and_constraints_survive(migrations: str, way: str) -> None:
    """A migration that rebuilds a table keeps every index and constraint."""
    before = schema()
    flask_migrate.upgrade(directory=migrations)
    if way == "downgrade":
        flask_migrate.downgrade(directory=migrations)
    assert schema() == before


@pytest.mark.parametrize("way", ["upgrade", "downgrade"])
def test_rows_survive(migrations: str, way: str) -> None:
    """A migration that rebuilds the users' table deletes no row that refers to a user."""
    user = User(username="susan", email="susan@example.com", password_hash="")
    db.session.add(user)
    db.session.flush()
    db.session.add(Login(token="token", user_id=user.id))
    db.session.commit()
    flask_migrate.upgrade(directory=migrations)
    if way == "downgrade":
        flask_migrate.downgrade(directory=migrations)
    assert db.session.execute(text("SELECT token, user_id FROM login")).all() == [("token", 1)]


def test_ids_are_not_used_twice(migrations: str) -> None:
    """A migration that rebuilds the table does not give a deleted user's id to a new one."""
    for name in ("susan", "david"):
        user = User(username=name, email=f"{name}@example.com", password_hash="")
        db.session.add(user)
        db.session.commit()
        db.session.delete(user)
        db.session.commit()
        flask_migrate.upgrade(directory=migrations)
    assert user.id == 2


def test_foreign_keys_are_enforced_again(migrations: str) -> None:
    """After a migration, deleting a user deletes the rows that refer to the user."""
    flask_migrate.upgrade(directory=migrations)
    assert db.session.scalar(text("PRAGMA foreign_keys")) == 1


def test_broken_reference_is_reported(migrations: str) -> None:
    """A migration that leaves a row whose user does not exist ends with a message."""
    own = Path(migrations, "versions/own.py")
    insert = "INSERT INTO login VALUES ('token', 7, '2026-01-01')"
    own.write_text(f"{own.read_text()}\n\ndef upgrade():\n    op.execute({insert!r})\n")
    with pytest.raises(SystemExit, match="Rows refer to rows that do not exist"):
        flask_migrate.upgrade(directory=migrations)
