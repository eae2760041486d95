"""Reads settings from environment variables."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast
from urllib.parse import urlsplit

from psycopg.conninfo import make_conninfo
from redis.connection import parse_url
from sentry_sdk.utils import Dsn
from sqlalchemy import make_url

T = TypeVar("T")


class Kind(NamedTuple):
    """What a variable may hold: the whole text matches `pattern`, and `convert` accepts it."""

    expected: str
    pattern: str = "(?s).*"
    convert: Callable[[str], Any] = str

    def parse(self, text: str) -> Any:
        """Return the value of a text, or raise ValueError with what was expected."""
        try:
            if re.fullmatch(self.pattern, text):
                return self.convert(text)
        except Exception as error:
            raise ValueError(self.expected) from error
        raise ValueError(self.expected)


class Setting(NamedTuple):
    """The kind of a setting, and what an unset variable means: None if it is required."""

    kind: Kind
    default: Any

    def read(self, name: str, variables: Mapping[str, str], errors: list[str]) -> Any:
        """Return the value of the variable `name`, or add an error and return the default.

        `<name>_FILE` may name a file that holds the value, which is how Docker passes secrets.
        """
        path = variables.get(f"{name}_FILE", "").strip()
        try:
            text = secret_file.parse(path) if path else variables.get(name, "").strip()
            return self.kind.parse(text) if text or self.default is None else self.default
        except ValueError as error:
            errors.append(f"{name}{'_FILE' if path else ''} is not valid: expected {error}.")
            return self.default


def setting(kind: Kind, default: T | None = None) -> T:
    """Return a `Setting`, which the value replaces when the environment is read."""
    return cast(T, Setting(kind, default))


def read_file(path: str) -> str:
    """Return the stripped content of the file at `path`, which must have some."""
    content = Path(path).read_text(encoding="utf-8").strip()
    if not content:
        raise ValueError
    return content


def sentry_name(size: int, example: str) -> Kind:
    """Return the kind of a name that Sentry accepts, of at most `size` bytes."""

    def check(name: str) -> str:
        if len(name.encode()) > size:
            raise ValueError
        return name

    expected = f"a short name without spaces or slashes, for example {example}"
    return Kind(expected, r"(?!(\.|\.\.|latest|none)$)[^/\\\x00-\x20\x7f]+", check)


def check_port(text: str) -> int:
    """Return the number of a TCP port."""
    port = int(text)
    if not 1 <= port <= 65535:
        raise ValueError
    return port


def check_url(url: str) -> str:
    """Return a URL whose port, where it names one, exists."""
    if urlsplit(url).port == 0:
        raise ValueError
    return url


def check_dsn(dsn: str) -> str:
    """Return a DSN that the Sentry SDK accepts."""
    Dsn(dsn)
    return dsn


def with_driver(url: str) -> str:
    """Return a URL for SQLAlchemy. Hosting services name PostgreSQL without a driver."""
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    parsed.get_dialect().import_dbapi()
    if parsed.drivername == "postgresql+psycopg":
        # This refuses parameters that psycopg does not know.
        make_conninfo("", **dict[str, Any](parsed.query))
    return parsed.render_as_string(hide_password=False)


def for_limiter(url: str) -> str:
    """Return the URL of a Redis server as Flask-Limiter expects it."""
    parse_url(url)  # type: ignore[no-untyped-call]
    make_url(url)  # with which app/sentry/scrubbing.py finds the password
    return re.sub("^unix:", "redis+unix:", url)


SWITCHES = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
WEB = r"https?://[^/\s]+(/\S*)?"

boolean = Kind("1 or 0", convert=lambda text: SWITCHES[text.lower()])
# NaN is refused, because it would silently sample nothing.
rate = Kind("a number from 0 to 1, for example 0.1", r"0|1|[01]\.0*|0?\.[0-9]+", float)
whole_number = Kind("a whole number, for example 1", "[0-9]{1,9}", int)
positive_number = Kind("a whole number from 1 to 999, for example 2", "[1-9][0-9]{0,2}", int)
port = Kind("a port from 1 to 65535, for example 8000", "[0-9]{1,5}", check_port)
log_level = Kind(
    "a log level, for example INFO", "(?i)debug|info|warning|error|critical", str.upper
)
secret_key = Kind(
    "at least 32 random characters, for example from `openssl rand -hex 32`", "(?s).{32,}"
)
secret_file = Kind(
    "a readable file with the value in it, for example /run/secrets/value", convert=read_file
)
url = Kind("a URL, for example http://localhost:8969/stream", WEB, check_url)
site_url = Kind(
    "a URL without a path, for example https://www.example.com",
    r"https?://[A-Za-z0-9._-]+(:[0-9]{1,5})?",
    check_url,
)
contact = Kind(
    "a URL or an email address, for example admin@example.com",
    rf"[^@\s]+@[\w.-]+|{WEB}",
    lambda text: text if "://" in text else f"mailto:{text}",
)
sentry_dsn = Kind("a DSN, for example https://KEY@HOST/PROJECT", convert=check_dsn)
database_url = Kind(
    "the URL of a database, for example postgresql://user:password@host/database",
    convert=with_driver,
)
redis_url = Kind(
    "the URL of a Redis server, for example redis://localhost:6379/0", convert=for_limiter
)
