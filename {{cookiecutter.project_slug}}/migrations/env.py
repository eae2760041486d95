"""Runs the migrations, for `flask db`."""

from typing import Any

from alembic import context
from flask import current_app

from app.extensions import db

options = current_app.extensions["migrate"].configure_args


def migrate(**target: Any) -> None:
    """Run the migrations on `target`: a connection, or an address to write SQL for."""
    context.configure(target_metadata=db.metadata, **target, **options)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    migrate(url=db.engine.url, literal_binds=True)
else:
    with db.engine.connect() as connection:
        migrate(connection=connection)
