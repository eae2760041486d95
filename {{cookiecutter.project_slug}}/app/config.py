"""Settings: pyproject.toml says what the app is, the environment how it runs."""

import logging
import os
import re
import sys
import tomllib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

T = TypeVar("T")

log = logging.getLogger(__name__)
DATABASE_EXAMPLE = "postgresql://user:password@host/database"
# A database that hangs must not hang all threads: seconds until it connects, milliseconds until it
# takes what was sent.
DATABASE_TIMEOUTS = {"connect_timeout": "3", "tcp_user_timeout": "5000"}
telemetry_faults: list[str] = []  # for `flask sentry-test`
pyproject = tomllib.loads(
    Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8")
)


RELEASE = f"{pyproject['project']['name']}@{pyproject['project']['version']}"


def boolean(value: str) -> bool:
    """The switch that `value` names: 1/0, true/false or on/off."""
    switches = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
    if value.lower() not in switches:
        raise ValueError("must be 1 or 0")
    return switches[value.lower()]


def rate(value: str) -> float:
    """The share, 0 to 1, that `value` names; NaN would silently sample nothing."""
    if not re.fullmatch(r"0|1|[01]\.0*|0?\.[0-9]+", value):
        raise ValueError("must be a number from 0 to 1, like 0.1")
    return float(value)


def whole_number(value: str) -> int:
    """The number, from 0, that `value` names."""
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise ValueError("must be a whole number, like 1")
    return int(value)


def log_level(value: str) -> str:
    """The level of logging that `value` names."""
    if value.upper() not in logging.getLevelNamesMapping():
        raise ValueError("must be a level of logging, like INFO")
    return value.upper()


def is_name(value: str, limit: int) -> bool:
    """Whether Sentry could take `value` as a name: no blank, slash or control, few bytes."""
    return bool(re.fullmatch(r"[^/\x00-\x20\x7f]+", value)) and len(value.encode()) <= limit


def environment(value: str) -> str:
    """`value` as Sentry takes the name of an environment."""
    if not is_name(value, 64) or value == "none":
        raise ValueError("must be a short name without blanks or slashes, like staging")
    return value


def release(value: str) -> str:
    """`value` as Sentry takes the name of a release."""
    if not is_name(value, 200) or "\\" in value or value in (".", "..", "latest"):
        raise ValueError("must be a name without blanks or slashes, like blog@1.2.3")
    return value


def web_address(value: str) -> str:
    """`value`, an http or https address."""
    if not re.fullmatch(r"https?://[^/\s]+(/\S*)?", value):
        raise ValueError("must be an address, like https://blog.example.com")
    return value


def database_url(value: str) -> str:
    """`value` as SQLAlchemy takes it; hosts spell PostgreSQL without the name of a driver."""
    try:
        url = make_url(value)
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg")
        url.get_dialect().import_dbapi()
    except (ArgumentError, ImportError, ValueError):
        raise ValueError(f"must be the address of a database, like {DATABASE_EXAMPLE}") from None
    if url.drivername == "postgresql+psycopg":
        url = url.set(query={**DATABASE_TIMEOUTS, **url.query})
    return url.render_as_string(hide_password=False)


def redis_url(value: str) -> str:
    """`value`, the address of a Redis."""
    if not re.fullmatch(r"rediss?://([^/@\s]*@)?[\w.-]+(:[0-9]{1,5})?(/[0-9]*)?", value):
        raise ValueError("must be an address, like redis://localhost:6379/0")
    return value


def secret_file(value: str) -> str:
    """What stands in the file that `value` names; Docker keeps secrets in such."""
    try:
        secret = Path(value).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        secret = ""
    if not secret:
        raise ValueError("must name a file with a secret in it")
    return secret


def setting(name: str, parse: Callable[[str], T], default: T, *, telemetry: bool = False) -> T:
    """The environment variable `name` as `parse` reads it; `default` where unset or empty.

    A bad value stops the start with one line, except telemetry's: what watches the app must
    not take it down, so that is logged and the default holds.
    """
    value = os.environ.get(name, "").strip()
    if not value:
        return default
    try:
        return parse(value)
    except ValueError as error:
        if not telemetry:
            sys.exit(f"{name} {error}.")
        telemetry_faults.append(f"{name} {error}. Its default holds.")
        log.error(telemetry_faults[-1])
        return default


def database() -> str:
    """The address of the database; a file in instance/ where no variable names one.

    The container image sets DATABASE_URL empty, so that nobody writes to a file which goes with
    the container.
    """
    url = setting("DATABASE_URL_FILE", lambda path: database_url(secret_file(path)), "")
    url = url or setting("DATABASE_URL", database_url, "")
    if not url and "DATABASE_URL" in os.environ:
        sys.exit(f"DATABASE_URL is empty: set it, like {DATABASE_EXAMPLE}.")
    return url or "sqlite:///app.db"


class Config:
    """What `create_app` takes by default. The README lists the variables."""

    TITLE: str = pyproject["tool"]["microblog"]["title"]
    SECRET_KEY = (
        setting("SECRET_KEY_FILE", secret_file, "") or os.environ.get("SECRET_KEY", "").strip()
    )
    PUBLIC_URL = setting("PUBLIC_URL", web_address, "")
    TRUSTED_PROXIES = setting("TRUSTED_PROXIES", whole_number, 0)
    LOG_LEVEL = setting("LOG_LEVEL", log_level, "INFO")
    BROKEN_ROUTE = setting("BROKEN_ROUTE", boolean, False)

    SENTRY_DSN = os.environ.get("SENTRY_DSN", "").strip()
    SENTRY_ENVIRONMENT = setting("SENTRY_ENVIRONMENT", environment, "production", telemetry=True)
    SENTRY_RELEASE = setting("SENTRY_RELEASE", release, RELEASE, telemetry=True)
    SENTRY_TRACES_SAMPLE_RATE = setting("SENTRY_TRACES_SAMPLE_RATE", rate, 0.1, telemetry=True)
    SENTRY_PROFILE_SESSION_SAMPLE_RATE = setting(
        "SENTRY_PROFILE_SESSION_SAMPLE_RATE", rate, 0.0, telemetry=True
    )
    SENTRY_LOGS = setting("SENTRY_LOGS", boolean, False, telemetry=True)
    SENTRY_SPOTLIGHT = setting("SENTRY_SPOTLIGHT", web_address, "", telemetry=True)
    SENTRY_TRANSPORT: object = None  # the SDK's own; the tests put one that keeps envelopes

    SQLALCHEMY_DATABASE_URI = database()
    SQLALCHEMY_ENGINE_OPTIONS: ClassVar[dict[str, Any]] = {
        "hide_parameters": True,  # an error's text goes to the log and to Sentry
        "pool_pre_ping": True,  # outlive a restart of the database
    }
    RATELIMIT_STORAGE_URI = setting("REDIS_URL", redis_url, "memory://")
    RATELIMIT_STORAGE_OPTIONS: ClassVar[dict[str, Any]] = {
        "socket_connect_timeout": 1,  # seconds; then memory counts
        "socket_timeout": 1,
    }
    RATELIMIT_STRATEGY = "moving-window"
    RATELIMIT_IN_MEMORY_FALLBACK_ENABLED = True
    RATELIMIT_HEADERS_ENABLED = True  # Retry-After with a 429

    MAX_CONTENT_LENGTH = 64 * 1024  # bytes; there are no uploads
    PREFERRED_URL_SCHEME = "https" if PUBLIC_URL.startswith("https:") else "http"
    SESSION_COOKIE_SAMESITE = REMEMBER_COOKIE_SAMESITE = "Lax"
    SESSION_COOKIE_SECURE = REMEMBER_COOKIE_SECURE = PREFERRED_URL_SCHEME == "https"
    REMEMBER_COOKIE_HTTPONLY = True
    REMEMBER_COOKIE_DURATION = timedelta(days=30)
    WTF_CSRF_TIME_LIMIT = None  # as long as the session: a form may lie open for a day


class TestConfig(Config):
    """For tests: a database in memory, and nothing of the developer's environment."""

    __test__ = False  # pytest would collect a class of this name
    TESTING = True
    SECRET_KEY = "only-for-tests"  # noqa: S105
    PUBLIC_URL = ""
    PREFERRED_URL_SCHEME = "http"
    TRUSTED_PROXIES = 0
    BROKEN_ROUTE = True
    SENTRY_DSN = ""
    SENTRY_ENVIRONMENT = "test"
    SENTRY_SPOTLIGHT = ""
    SQLALCHEMY_DATABASE_URI = "sqlite://"
    RATELIMIT_STORAGE_URI = "memory://"
    SESSION_COOKIE_SECURE = REMEMBER_COOKIE_SECURE = False
    WTF_CSRF_ENABLED = False
