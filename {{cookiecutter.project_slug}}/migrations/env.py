"""Runs the migrations for `flask db`."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import context
from alembic.operations.ops import MigrationScript
from alembic.script import write_hooks
from flask import current_app
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from app.extensions import db

log = logging.getLogger(__name__)
options = current_app.extensions["migrate"].configure_args


def migrate(**target: Any) -> None:
    """Run the migrations on `target`: a connection, or a URL to write SQL for."""
    context.configure(
        target_metadata=db.metadata,
        process_revision_directives=skip_empty,
        **target,
        **options,
    )
    with context.begin_transaction():
        if context.get_context().dialect.name == "postgresql":
            context.execute("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")
            context.execute("SELECT pg_advisory_xact_lock(1)")  # another process may migrate, too
            context.execute("SET LOCAL lock_timeout = 2000")  # rather fail than let visitors wait
        # An older version that is deployed again works with the newer schema.
        if unknown := unknown_revisions():
            log.warning("The database has newer revisions, nothing to migrate: %s", unknown)
        else:
            context.run_migrations()


def skip_empty(_: object, __: object, scripts: list[MigrationScript]) -> None:
    """Let `flask db migrate` write nothing where the models have not changed."""
    is_migrate = getattr(context.config.cmd_opts, "autogenerate", False)
    if is_migrate and scripts[0].upgrade_ops and scripts[0].upgrade_ops.is_empty():
        scripts.clear()
        log.info("No changes in schema detected.")


@write_hooks.register("ruff")
def format_migration(path: str, _: object) -> None:
    """Format a new migration as `make format` would, unless only prod.txt is installed."""
    ruff = Path(sys.executable).with_name("ruff")
    if ruff.exists():
        for command in ("check --fix --quiet", "format --quiet"):
            subprocess.run([ruff, *command.split(), path], check=False)  # noqa: S603


def unknown_revisions() -> set[str]:
    """Return the revisions of the database that only a newer version knows."""
    known = {script.revision for script in context.script.walk_revisions()}
    return set(context.get_context().get_current_heads()) - known


def connect() -> Connection:
    """Return a connection, or end with a message that says what to check."""
    try:
        return db.engine.connect()
    except OperationalError as error:
        sys.exit(
            "Cannot connect to the database: check DATABASE_URL. Compose builds it from"
            " POSTGRES_PASSWORD in .env, which must not change after the volume was created"
            f" (docker compose down --volumes deletes it with its data).\n{error.orig}"
        )


def last_ids(connection: Connection) -> dict[str, int]:
    """Return the highest id that each table of SQLite ever gave to a row."""
    find = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"
    read = "SELECT name, seq FROM sqlite_sequence"
    is_used = connection.exec_driver_sql(find).first()
    return dict(tuple(row) for row in connection.exec_driver_sql(read)) if is_used else {}


@contextmanager
def rebuilding(connection: Connection) -> Iterator[None]:
    """Let SQLite change columns until the block ends.

    It copies the rows to a new table and drops the old one. Foreign keys would delete the rows that
    refer to the old one, so they are off meanwhile, and checked at the end. They cannot be switched
    within a transaction. The new table would use the ids of deleted rows again, so it inherits the
    highest one.
    """
    connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
    before = last_ids(connection)
    connection.commit()  # otherwise Alembic would leave the commit of the migrations to this
    yield
    after = last_ids(connection)
    for table, last in before.items():
        if last > after.get(table, 0):
            connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
            connection.exec_driver_sql("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, last))
    connection.commit()
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    connection.exec_driver_sql("PRAGMA foreign_keys = ON")
    if broken:
        sys.exit(f"Rows refer to rows that do not exist (table, row, referred table): {broken}")


if context.is_offline_mode():
    migrate(url=db.engine.url, literal_binds=True)
else:
    with connect() as connection:
        if connection.dialect.name == "sqlite":
            with rebuilding(connection):
                migrate(connection=connection)
        else:
            migrate(connection=connection)
