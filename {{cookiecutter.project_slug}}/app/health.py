"""Health checks for the platform that runs the app."""

from collections.abc import Iterable
from functools import cache
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from alembic.script import ScriptDirectory
from flask import Blueprint, current_app
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from app.config import RELEASE
from app.extensions import db

bp = Blueprint("health", __name__)
CHECKS = ("/healthz", "/readyz")


class AnyHost:
    """WSGI middleware that lets a platform name any host in a health check, such as its address."""

    def __init__(self, app: WSGIApplication) -> None:
        self.app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        if environ["PATH_INFO"] in CHECKS:
            environ["HTTP_HOST"] = "localhost"
        return self.app(environ, start_response)


@bp.route("/healthz")
def alive() -> dict[str, str]:
    """Report that the process responds."""
    return {"status": "ok", "release": RELEASE}


@bp.route("/readyz")
def ready() -> tuple[dict[str, str], int]:
    """Report whether the database responds and has the schema that this code needs."""
    try:
        heads = current_heads()
    except SQLAlchemyError as error:
        current_app.logger.warning("The database does not respond: %s", error.__cause__ or error)
        return {"status": "the database does not respond", "release": RELEASE}, 503
    known, newest = revisions(str(current_app.extensions["migrate"].directory))
    # An unknown revision belongs to a newer version. During its rollout, this one keeps serving.
    if heads != newest and heads <= known:
        return {"status": "the schema is old: run `flask db upgrade`", "release": RELEASE}, 503
    return {"status": "ok", "release": RELEASE}, 200


def current_heads() -> set[str]:
    """Return the revisions of the database. Alembic's own function logs two lines each time."""
    if not inspect(db.session.connection()).has_table("alembic_version"):
        return set()
    return set(db.session.scalars(text("SELECT version_num FROM alembic_version")))


@cache
def revisions(directory: str) -> tuple[set[str], set[str]]:
    """Return all revisions of the migrations in `directory`, and the newest ones."""
    script = ScriptDirectory(directory)
    return {revision.revision for revision in script.walk_revisions()}, set(script.get_heads())
