"""Fixtures: an app with a database in memory, its users, and a Sentry that records."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from unittest.mock import patch

import pytest
import sentry_sdk
from flask import Flask
from flask.testing import FlaskClient
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport
from sqlalchemy import Executable, Select, create_engine
from werkzeug.security import generate_password_hash
from werkzeug.test import TestResponse

from app import create_app
from app.auth import passwords
from app.auth.models import User
from app.config import Config
from app.extensions import Base, db
from app.limits import limiter

T = TypeVar("T")
ROOT = Path(__file__).parents[1]
PASSWORD = "correct horse"
quick_hash = partial(generate_password_hash, method="pbkdf2:sha256:1")  # scrypt takes 0.1 s
QUICK_HASH = quick_hash(PASSWORD)
DSN = "https://public@sentry.example.com/1"


class TestConfig(Config):
    """The settings of the tests. They come from an environment of their own."""

    __test__ = False  # pytest would collect a class of this name
    environment: ClassVar = {
        "SECRET_KEY": "only-for-tests-" * 3,
        "DATABASE_URL": "sqlite://",
        "BROKEN_ROUTE": "1",
        "SENTRY_ENVIRONMENT": "test",
    }
    TESTING = True
    WTF_CSRF_ENABLED = False


@pytest.fixture(autouse=True)
def hash_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let new passwords be hashed quickly."""
    monkeypatch.setattr(passwords, "generate_password_hash", quick_hash)
    passwords.dummy_hash.cache_clear()


@cache
def shared_app(config: type[Config]) -> Flask:
    """Return the app of `config`, made once, because making one takes longer than most tests."""
    return create_app(config)


@cache
def empty_tables() -> Any:
    """Return a SQLite database with all tables. Copying it is quicker than creating them."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    return engine.raw_connection().driver_connection


@contextmanager
def with_tables(app: Flask) -> Iterator[Flask]:
    """Give `app` an empty database and empty counters, and take back changes of its settings."""
    limiter._storage_dead = False  # the app of another test may have lost its storage
    limiter.init_app(app)
    with app.app_context(), db.engine.connect() as connection:
        empty_tables().backup(connection.connection.driver_connection)
    with patch.dict(app.config, TITLE="Site"):  # independent of the name in pyproject.toml
        yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(request: pytest.FixtureRequest) -> Iterator[Flask]:
    """Return an app with an empty database. A parameter replaces TestConfig.

    Tests share it. Flask lets none of them add a route after the first request.
    """
    with with_tables(shared_app(getattr(request, "param", TestConfig))) as app:
        yield app


class CsrfConfig(TestConfig):
    """Requires tokens in forms, as the real app does."""

    WTF_CSRF_ENABLED = True


@pytest.fixture
def production(app: Flask) -> None:
    """Let a crash show its page instead of failing the test."""
    app.config["PROPAGATE_EXCEPTIONS"] = False


def config_class(base: type[Config] = TestConfig, **variables: str) -> type[Config]:
    """Return a config like `base` with other environment variables."""
    return type("OtherConfig", (base,), {"environment": {**base.environment, **variables}})


def settings(config: type[Config]) -> dict[str, Any]:
    """Return the settings of an app with `config`."""
    read = config()
    return {name: getattr(read, name) for name in dir(read) if name.isupper()}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Return a browser."""
    return app.test_client()


@pytest.fixture
def empty_app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """Return an app with a database file that was never migrated."""
    monkeypatch.chdir(ROOT)  # Flask-Migrate looks for the migrations in the current folder
    app = create_app(config_class(DATABASE_URL=f"sqlite:///{tmp_path / 'app.db'}"))
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def own_app(empty_app: Flask) -> Iterator[Flask]:
    """Return an app for one test, which may add routes, with a file that threads may share."""
    with with_tables(empty_app) as app:
        yield app


class AuthActions:
    """Fills in the forms of accounts."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def register(
        self,
        username: str = "susan",
        email: str = "susan@example.com",
        password: str = PASSWORD,
        password2: str | None = None,
    ) -> TestResponse:
        """Register. The password is repeated unless `password2` differs."""
        form = {"username": username, "email": email, "password": password}
        form["password2"] = password if password2 is None else password2
        return self.client.post("/auth/register", data=form)

    def login(
        self,
        username: str = "susan",
        password: str = PASSWORD,
        *,
        remember: bool = False,
        **request: Any,
    ) -> TestResponse:
        """Log in. `request` is passed on to the client."""
        form = {"username": username, "password": password}
        if remember:
            form["remember_me"] = "y"
        return self.client.post("/auth/login", data=form, **request)

    def logout(self) -> TestResponse:
        """Log out."""
        return self.client.post("/auth/logout")


@pytest.fixture
def auth(client: FlaskClient) -> AuthActions:
    """Return the forms of accounts in the browser `client`."""
    return AuthActions(client)


class Database:
    """Writes rows to the database directly, and reads them."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def add(self, row: Base) -> None:
        """Add `row`."""
        with self.app.app_context():
            db.session.add(row)
            db.session.commit()

    def add_user(self, name: str, **columns: Any) -> int:
        """Add a user whose password is PASSWORD, and return the id."""
        email = f"{name}@example.com"
        user = User(username=name, email=email, password_hash=QUICK_HASH, **columns)
        self.add(user)
        return user.id

    def execute(self, statement: Executable) -> None:
        """Execute `statement`."""
        with self.app.app_context():
            db.session.execute(statement)
            db.session.commit()

    def read(self, query: Select[T]) -> list[T]:
        """Return what `query` finds."""
        with self.app.app_context():
            return list(db.session.scalars(query))


@pytest.fixture
def database(app: Flask) -> Database:
    """Return the database of `app`."""
    return Database(app)


@pytest.fixture
def susan(database: Database, auth: AuthActions) -> int:
    """Return the id of a user who is logged in."""
    user_id = database.add_user("susan")
    auth.login()
    return user_id


class KeepingTransport(Transport):
    """Records envelopes instead of sending them."""

    def __init__(self, options: dict[str, Any] | None = None) -> None:
        super().__init__(options)
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Record `envelope`."""
        self.envelopes.append(envelope)


class SentryConfig(TestConfig):
    """Sends everything to a Sentry that records."""

    environment = {  # noqa: RUF012
        **TestConfig.environment,
        "SENTRY_DSN": DSN,
        "SENTRY_TRACES_SAMPLE_RATE": "1",
        "SENTRY_LOGS": "1",
        # Secrets that no event may contain. Nothing connects to these servers.
        "SECRET_KEY": "planted-secret-key-of-thirty-two-characters",
        "DATABASE_URL": "postgresql://app:planted-database-password@db/app",
        "REDIS_URL": "redis://:planted-redis-password@redis/0",
    }
    OWN_TOKEN = "planted-own-token"  # a secret among an owner's own settings
    SENTRY_TRANSPORT = KeepingTransport


SpotlightConfig = config_class(  # without a DSN, the SDK has other defaults
    SentryConfig, SENTRY_DSN="", SENTRY_SPOTLIGHT="http://127.0.0.1:9/stream"
)


class Sentry:
    """A Sentry that records what it receives."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.kept: KeepingTransport = client.transport or client.spotlight
        sentry_sdk.get_global_scope().set_client(None)

    def receives(self) -> Iterator["Sentry"]:
        """Yield this Sentry, switched on and empty, and switch it off afterwards."""
        with sentry_sdk.isolation_scope():
            sentry_sdk.get_global_scope().set_client(self.client)
            self.flush()
            self.kept.envelopes.clear()
            yield self
            sentry_sdk.get_global_scope().set_client(None)

    def flush(self) -> None:
        """Send what the SDK batches."""
        self.client.session_flusher.flush()
        self.client.log_batcher.flush()

    def items(self, kind: str) -> list[Any]:
        """Return the contents of all items of a `kind`: event, transaction, sessions or log."""
        self.flush()
        items = [item for envelope in self.kept.envelopes for item in envelope.items]
        return [item.payload.json for item in items if item.type == kind]

    def raw(self) -> str:
        """Return all that was sent, as text."""
        self.flush()
        return "\n".join(envelope.serialize().decode() for envelope in self.kept.envelopes)


@contextmanager
def sending_app(dsn: str, **variables: str) -> Iterator[Flask]:
    """Yield an app that sends to `dsn` as a real one does, and switch Sentry off afterwards."""
    with sentry_sdk.isolation_scope(), patch.dict(os.environ, no_proxy="127.0.0.1"):
        # The SDK keeps this setting for the whole process.
        config = config_class(TestConfig, SENTRY_DSN=dsn, SENTRY_LOGS="1", **variables)
        app = create_app(config)
        with closing(sentry_sdk.get_client()):
            yield app
        sentry_sdk.get_global_scope().set_client(None)


@pytest.fixture(scope="session")
def sentry_of_session() -> Iterator[Sentry]:
    """Return a Sentry with a DSN, one for all tests because each leaves threads behind."""
    create_app(SentryConfig)
    sentry = Sentry(sentry_sdk.get_client())
    yield sentry
    sentry.client.close()


@pytest.fixture(scope="session")
def spotlight_of_session() -> Iterator[Sentry]:
    """Return a Spotlight without a DSN."""
    create_app(SpotlightConfig)
    client: Any = sentry_sdk.get_client()
    client.spotlight = KeepingTransport()
    spotlight = Sentry(client)
    yield spotlight
    spotlight.client.close()


@pytest.fixture
def sentry(sentry_of_session: Sentry) -> Iterator[Sentry]:
    """Return Sentry, switched on for one test."""
    yield from sentry_of_session.receives()


@pytest.fixture
def spotlight(spotlight_of_session: Sentry) -> Iterator[Sentry]:
    """Return Spotlight, switched on for one test."""
    yield from spotlight_of_session.receives()


@pytest.fixture(params=["sentry", "spotlight"])
def anywhere(request: pytest.FixtureRequest) -> Sentry:
    """Return Sentry in one run of a test, and Spotlight in another."""
    received: Sentry = request.getfixturevalue(request.param)
    return received
