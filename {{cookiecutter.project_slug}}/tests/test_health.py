"""Health checks."""

import flask_migrate
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from app.config import RELEASE
from app.extensions import db
from tests.conftest import config_class


@pytest.fixture
def migrated_app(empty_app: Flask) -> Flask:
    """Return an app with a database file at the newest revision."""
    with empty_app.app_context():
        flask_migrate.upgrade()
    return empty_app


def test_ready(migrated_app: Flask) -> None:
    """After `flask db upgrade` the app is ready."""
    response = migrated_app.test_client().get("/readyz")
    assert (response.status_code, response.json) == (
        200,
        {"status": "ok", "release": RELEASE},
    )


def test_empty_database(empty_app: Flask) -> None:
    """Without tables it is not."""
    assert empty_app.test_client().get("/readyz").status_code == 503


def test_schema_is_behind(migrated_app: Flask) -> None:
    """At an older revision it is not, and says what to do."""
    with migrated_app.app_context():
        db.session.execute(text("DELETE FROM alembic_version"))
        db.session.commit()
    response = migrated_app.test_client().get("/readyz")
    assert response.status_code == 503
    assert "flask db upgrade" in response.text


def test_schema_is_ahead(migrated_app: Flask) -> None:
    """While a newer version is rolled out on its own schema, this one serves on."""
    with migrated_app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = 'newer'"))
        db.session.commit()
    assert migrated_app.test_client().get("/readyz").status_code == 200


LostConfig = config_class(DATABASE_URL="sqlite:////nowhere/at/all.db")


def test_no_database() -> None:
    """Without a database it is not, and says so without a crash."""
    response = create_app(LostConfig).test_client().get("/readyz")
    assert response.status_code == 503
    assert "does not respond" in response.text


def test_cause_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log says why the database does not respond, without its password."""
    url = "postgresql://app:mistyped@127.0.0.1:1/app"
    create_app(config_class(DATABASE_URL=url)).test_client().get("/readyz")
    assert "Connection refused" in caplog.text
    assert "mistyped" not in caplog.text


def test_alive_without_database() -> None:
    """The process is alive, whatever became of the database."""
    assert create_app(LostConfig).test_client().get("/healthz").status_code == 200


@pytest.mark.usefixtures("susan")
@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 503)])
def test_session_without_database(app: Flask, client: FlaskClient, path: str, status: int) -> None:
    """A check with a session cookie asks nobody who that is."""
    with app.app_context():
        db.drop_all()
    assert client.get(path).status_code == status
