"""Reads settings from environment variables."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from psycopg.conninfo import make_conninfo
from redis.connection import parse_url
from sentry_sdk.utils import Dsn
from sqlalchemy import make_url

T = TypeVar("T")
Parser = Callable[[str], Any]  # returns the value, or raises ValueError with what was expected


class Setting(NamedTuple):
    """How a setting is parsed, and what an unset variable means: None if it is required."""

    parse: Parser
    default: Any = None

    def read(self, name: str, variables: Mapping[str, str], errors: list[str]) -> Any:
        """Return the value of the variable `name`, or add an error and return the default.

        `<name>_FILE` may name a file that holds the value, which is how Docker passes secrets.
        """
        path = variables.get(f"{name}_FILE", "").strip()
        try:
            value = read_file(path) if path else variables.get(name, "").strip()
            return self.parse(value) if value or self.default is None else self.default
        except ValueError as error:
            errors.append(f"{name}{'_FILE' if path else ''} is not valid: expected {error}.")
            return self.default


def setting(parse: Callable[[str], T], default: T | None = None) -> T:
    """Return a `Setting`, which the value replaces when the environment is read."""
    return cast(T, Setting(parse, default))


def expecting(expected: str) -> Callable[[Parser], Parser]:
    """Return a decorator for parsers, which lets each error say what was expected."""

    def decorate(parse: Parser) -> Parser:
        def parse_or_explain(value: str) -> Any:
            try:
                return parse(value)
            except Exception as error:
                raise ValueError(expected) from error

        return parse_or_explain

    return decorate


def matching(pattern: str, expected: str, convert: Parser = str) -> Parser:
    """Return a parser that converts what matches `pattern`."""

    @expecting(expected)
    def parse(value: str) -> Any:
        if not re.fullmatch(pattern, value):
            raise ValueError
        return convert(value)

    return parse


@expecting("a readable file with the value in it, for example /run/secrets/value")
def read_file(path: str) -> str:
    """Return the stripped content of the file at `path`."""
    content = Path(path).read_text(encoding="utf-8").strip()
    if not content:
        raise ValueError
    return content


SWITCHES = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}
boolean = matching("(?i)" + "|".join(SWITCHES), "1 or 0", lambda value: SWITCHES[value.lower()])
# NaN is refused, because it would silently sample nothing.
rate = matching(r"0|1|[01]\.0*|0?\.[0-9]+", "a number from 0 to 1, for example 0.1", float)
whole_number = matching("[0-9]{1,9}", "a whole number, for example 1", int)
positive_number = matching("[1-9][0-9]{0,2}", "a whole number from 1 to 999, for example 2", int)
log_level = matching(
    "(?i)debug|info|warning|error|critical", "a log level, for example INFO", str.upper
)
secret_key = matching(
    "(?s).{32,}", "at least 32 random characters, for example from `openssl rand -hex 32`"
)
url = matching(r"https?://[^/\s]+(/\S*)?", "a URL, for example http://localhost:8969/stream")
site_url = matching(
    r"https?://[\w.-]+(:[0-9]{1,5})?", "a URL without a path, for example https://www.example.com"
)

contact = matching(
    r"[^@\s]+@[\w.-]+|https?://[^/\s]+(/\S*)?",
    "a URL or an email address, for example admin@example.com",
    lambda value: value if "://" in value else f"mailto:{value}",
)


def sentry_name(size: int, example: str) -> Parser:
    """Return a parser for a name that Sentry accepts, of at most `size` bytes."""

    @expecting(f"a short name without spaces or slashes, for example {example}")
    def parse(value: str) -> str:
        is_reserved = value in (".", "..", "latest", "none")
        if is_reserved or len(value.encode()) > size or re.search(r"[/\\\x00-\x20\x7f]", value):
            raise ValueError
        return value

    return parse


@expecting("a DSN, for example https://KEY@HOST/PROJECT")
def sentry_dsn(value: str) -> str:
    """Return a DSN that the Sentry SDK accepts."""
    Dsn(value)
    return value


@expecting("the URL of a database, for example postgresql://user:password@host/database")
def database_url(value: str) -> str:
    """Return a URL for SQLAlchemy. Hosting services name PostgreSQL without a driver."""
    parsed = make_url(value)
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    parsed.get_dialect().import_dbapi()
    if parsed.drivername == "postgresql+psycopg":
        # This refuses parameters that psycopg does not know.
        make_conninfo("", **dict[str, Any](parsed.query))
    return parsed.render_as_string(hide_password=False)


@expecting("the URL of a Redis server, for example redis://localhost:6379/0")
def redis_url(value: str) -> str:
    """Return the URL of a Redis server as Flask-Limiter expects it."""
    parse_url(value)  # type: ignore[no-untyped-call]
    return re.sub("^unix:", "redis+unix:", value)
