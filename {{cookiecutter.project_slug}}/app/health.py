"""Health checks, for whoever runs the containers."""

from functools import cache

from alembic.script import ScriptDirectory
from flask import Blueprint, current_app
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db

bp = Blueprint("health", __name__)


@bp.route("/healthz")
def alive() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@bp.route("/readyz")
def ready() -> tuple[dict[str, str], int]:
    """Say whether the database answers, with the schema that this code was written for."""
    try:
        heads = current_heads()
    except SQLAlchemyError:
        return {"status": "the database does not answer"}, 503
    known, newest = revisions(migrations_directory())
    # A revision unknown here is a newer version's, during whose rollout this one has to serve on.
    if heads != newest and heads <= known:
        return {"status": "the schema is behind: run `flask db upgrade`"}, 503
    return {"status": "ok"}, 200


def current_heads() -> set[str]:
    """The revisions at which the database is."""
    if not inspect(db.session.connection()).has_table("alembic_version"):
        return set()
    return set(db.session.scalars(text("SELECT version_num FROM alembic_version")))


def migrations_directory() -> str:
    """Where the migrations are."""
    return str(current_app.extensions["migrate"].directory)


@cache
def revisions(directory: str) -> tuple[set[str], set[str]]:
    """All revisions of the migrations, and those at which they end."""
    script = ScriptDirectory(directory)
    return {revision.revision for revision in script.walk_revisions()}, set(script.get_heads())
