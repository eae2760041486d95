"""The extensions, unbound. The app factory binds them."""

from contextlib import suppress
from typing import Any

from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import Connection, Engine, MetaData, Table, event
from sqlalchemy import exc as errors
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """The base class of the models. Migrations need constraints with names."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(
    metadata=Base.metadata,
    session_options={"expire_on_commit": False},  # current_user is not loaded again
)
migrate = Migrate()
csrf = CSRFProtect()
login_manager = LoginManager()
# Session protection marks sessions whose address has changed, for fresh_login_required only.
login_manager.session_protection = None


def end_transaction(_: object) -> None:
    """End the transaction. If its connection was lost, there is none any more."""
    with suppress(errors.InterfaceError, errors.OperationalError):
        db.session.rollback()


@event.listens_for(Engine, "connect")
def set_up_sqlite(connection: Any, _: object) -> None:
    """Let SQLite enforce foreign keys, and let people read while somebody writes."""
    if type(connection).__module__.startswith("sqlite3"):
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_mode = WAL")


@event.listens_for(Engine, "begin")
def limit_statements(connection: Connection) -> None:
    """Let PostgreSQL end what would hold a thread for long, in milliseconds.

    The limits are set in each transaction, because a pooler such as PgBouncer refuses them when it
    connects, and may use another connection for the next transaction. migrations/env.py lifts them.
    """
    if connection.dialect.name == "postgresql":
        limits = "SET LOCAL statement_timeout = 5000; SET LOCAL lock_timeout = 2000"
        connection.exec_driver_sql(limits)


@event.listens_for(Table, "before_create")
def use_no_id_twice(table: Table, *_: object, **__: object) -> None:
    """Let SQLite never give the id of a deleted row to a new one, as PostgreSQL does not.

    Otherwise the URL of a deleted post would show another one.
    """
    if len(table.primary_key) == 1:
        table.dialect_options["sqlite"]["autoincrement"] = True


def is_lost_database(error: object) -> bool:
    """Return whether the server is unreachable, went away or shuts down (SQLSTATE 08, 57P)."""
    if not isinstance(error, errors.InterfaceError | errors.OperationalError):
        return False
    # SQLite's errors have no state. PostgreSQL's have None if no server could be asked for one.
    state = getattr(error.orig, "sqlstate", "")
    return state is None or state.startswith(("08", "57P"))


def is_locked(error: object) -> bool:
    """Return whether a request waited too long for others, or the database takes no writes now."""
    if isinstance(error, errors.TimeoutError):  # of the pool of connections
        return True
    cause = getattr(error, "orig", None)
    is_busy = str(getattr(cause, "sqlite_errorname", "")).startswith("SQLITE_BUSY")
    # lock_not_available, and read_only_sql_transaction while PostgreSQL moves to another major
    return is_busy or getattr(cause, "sqlstate", "") in ("55P03", "25006")
