"""Runs the migrations for `flask db`."""

import logging
import sys
import warnings
from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from app.extensions import db

# On SQLite, indexes on lower(...) cannot be compared with the models.
warnings.filterwarnings("ignore", ".*expression-based index")
log = logging.getLogger(__name__)
options = current_app.extensions["migrate"].configure_args


def migrate(**target: Any) -> None:
    """Run the migrations on `target`: a connection, or a URL to write SQL for."""
    context.configure(target_metadata=db.metadata, **target, **options)
    with context.begin_transaction():
        # An older version that is deployed again works with the newer schema.
        if unknown := unknown_revisions():
            log.warning("The database has newer revisions, nothing to migrate: %s", unknown)
        else:
            context.run_migrations()


def unknown_revisions() -> set[str]:
    """Return the revisions of the database that only a newer version knows."""
    known = {script.revision for script in context.script.walk_revisions()}
    return set(context.get_context().get_current_heads()) - known


def connect() -> Connection:
    """Return a connection, or end with a message that says what to check."""
    try:
        connection = db.engine.connect()
    except OperationalError as error:
        sys.exit(
            "Cannot connect to the database: check DATABASE_URL. Compose builds it from"
            " POSTGRES_PASSWORD in .env, which must not change after the volume was created."
            f"\n{error.orig}"
        )
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET statement_timeout = 0"))  # a migration may take long
        connection.commit()
    return connection


if context.is_offline_mode():
    migrate(url=db.engine.url, literal_binds=True)
else:
    with connect() as connection:
        migrate(connection=connection)
