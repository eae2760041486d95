"""Typed reads of environment variables."""

import logging
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, cast

from sentry_sdk.utils import BadDsn, Dsn
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

T = TypeVar("T")

SWITCHES = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
# A database that does not respond must not block all threads: seconds to connect, milliseconds
# until sent data is acknowledged, and what PostgreSQL limits by itself, in milliseconds too.
DATABASE_TIMEOUTS = {
    "connect_timeout": "3",
    "tcp_user_timeout": "5000",
    "options": "-c statement_timeout=5000 -c lock_timeout=2000",
}


class Environment:
    """Reads settings from environment variables and collects an error for each invalid one."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.errors: list[str] = []

    def read(self, name: str, parse: Callable[[str], T], default: T | None = None) -> T:
        """Return the setting `name` as `parse` reads it.

        Return `default` where the variable is unset or empty, and where it is invalid. A setting
        without a default is required. `<name>_FILE` may name a file that holds the value, which
        is how Docker passes secrets.
        """
        path = self.variables.get(f"{name}_FILE", "").strip()
        try:
            value = read_file(path) if path else self.variables.get(name, "").strip()
            if value or default is None:
                return parse(value)
        except ValueError as error:
            variable = f"{name}_FILE" if path else name
            self.errors.append(f"{variable} is not valid: expected {error}.")
        return cast(T, default)


def read_file(path: str) -> str:
    """Return the stripped content of the file at `path`; raise ValueError if there is none."""
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        content = ""
    if not content:
        raise ValueError("a readable file with the value in it, for example /run/secrets/value")
    return content


# Each parser below returns the parsed value, or raises ValueError with what was expected.


def boolean(value: str) -> bool:
    """Return the switch that `value` names."""
    if value.lower() not in SWITCHES:
        raise ValueError("1 or 0")
    return SWITCHES[value.lower()]


def rate(value: str) -> float:
    """Return a share from 0 to 1. NaN is refused, since it would silently sample nothing."""
    if not re.fullmatch(r"0|1|[01]\.0*|0?\.[0-9]+", value):
        raise ValueError("a number from 0 to 1, for example 0.1")
    return float(value)


def whole_number(value: str) -> int:
    """Return a number from 0."""
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise ValueError("a whole number, for example 1")
    return int(value)


def positive_number(value: str) -> int:
    """Return a number from 1."""
    if not re.fullmatch(r"[1-9][0-9]{0,2}", value):
        raise ValueError("a whole number from 1 to 999, for example 2")
    return int(value)


def log_level(value: str) -> str:
    """Return a log level of the standard library."""
    if value.upper() not in logging.getLevelNamesMapping():
        raise ValueError("a log level, for example INFO")
    return value.upper()


def secret_key(value: str) -> str:
    """Return a key that is long enough to sign with."""
    if len(value) < 32:
        raise ValueError("at least 32 random characters, for example from `openssl rand -hex 32`")
    return value


def url(value: str) -> str:
    """Return an HTTP or HTTPS URL."""
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
        raise ValueError("a URL, for example https://blog.example.com")
    return value


def site_url(value: str) -> str:
    """Return the URL of a site, which has no path."""
    if not re.fullmatch(r"https?://[^/\s]+", value):
        raise ValueError("a URL without a path, for example https://blog.example.com")
    return value


def database_url(value: str) -> str:
    """Return a URL for SQLAlchemy. Hosting services name PostgreSQL without a driver."""
    try:
        parsed = make_url(value)
        if parsed.drivername in ("postgres", "postgresql"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        parsed.get_dialect().import_dbapi()
    except (ArgumentError, ImportError, ValueError):
        example = "postgresql://user:password@host/database"
        raise ValueError(f"the URL of a database, for example {example}") from None
    if parsed.drivername == "postgresql+psycopg":
        parsed = parsed.set(query={**DATABASE_TIMEOUTS, **parsed.query})
    return parsed.render_as_string(hide_password=False)


def redis_url(value: str) -> str:
    """Return the URL of a Redis server."""
    if not re.fullmatch(r"rediss?://([^/@\s]*@)?[\w.-]+(:[0-9]{1,5})?(/[0-9]*)?", value):
        raise ValueError("the URL of a Redis server, for example redis://localhost:6379/0")
    return value


def sentry_dsn(value: str) -> str:
    """Return a DSN that the Sentry SDK accepts."""
    try:
        Dsn(value)
    except (BadDsn, ValueError):
        raise ValueError("a DSN, for example https://KEY@HOST/PROJECT") from None
    return value


def is_sentry_name(value: str, limit: int) -> bool:
    """Return whether Sentry accepts `value` as a name of at most `limit` bytes."""
    return bool(re.fullmatch(r"[^/\x00-\x20\x7f]+", value)) and len(value.encode()) <= limit


def sentry_environment(value: str) -> str:
    """Return the name of an environment that Sentry accepts."""
    if not is_sentry_name(value, 64) or value == "none":
        raise ValueError("a short name without spaces or slashes, for example staging")
    return value


def sentry_release(value: str) -> str:
    """Return the name of a release that Sentry accepts."""
    if not is_sentry_name(value, 200) or "\\" in value or value in (".", "..", "latest"):
        raise ValueError("a name without spaces or slashes, for example blog@1.2.3")
    return value
