"""Settings: what the environment may say."""

import logging
import tomllib
from collections.abc import Callable

import pytest

from app import config, create_app
from tests.conftest import ROOT, load_config


@pytest.mark.parametrize(
    ("parse", "value", "parsed"),
    [
        (config.boolean, "1", True),
        (config.boolean, "True", True),
        (config.boolean, "on", True),
        (config.boolean, "0", False),
        (config.boolean, "false", False),
        (config.boolean, "OFF", False),
        (config.rate, "0", 0.0),
        (config.rate, ".25", 0.25),
        (config.rate, "1.0", 1.0),
        (config.whole_number, "12", 12),
        (config.log_level, "debug", "DEBUG"),
        (config.environment, "staging", "staging"),
        (config.release, "blog@1.2.3+4", "blog@1.2.3+4"),
        (config.web_address, "https://blog.example.com", "https://blog.example.com"),
        (config.web_address, "http://localhost:8969/stream", "http://localhost:8969/stream"),
        (config.database_url, "postgres://u:p@db/blog", "postgresql+psycopg://u:p@db/blog"),
        (config.database_url, "postgresql://u:p@db/blog", "postgresql+psycopg://u:p@db/blog"),
        (config.database_url, "postgresql+asyncpg://db/blog", "postgresql+asyncpg://db/blog"),
        (config.database_url, "sqlite:///blog.db", "sqlite:///blog.db"),
    ],
)
def test_value_is_read(parse: Callable[[str], object], value: str, parsed: object) -> None:
    """Each parser reads what it should."""
    assert parse(value) == parsed


@pytest.mark.parametrize(
    ("parse", "value"),
    [
        (config.boolean, "yes please"),
        (config.rate, "1.5"),
        (config.rate, "-0.1"),
        (config.rate, "nan"),
        (config.rate, "1e-1"),
        (config.rate, "\u0660"),
        (config.whole_number, "-1"),
        (config.whole_number, "1_0"),
        (config.whole_number, "\u0663"),
        (config.log_level, "LOUD"),
        (config.environment, "none"),
        (config.environment, "two words"),
        (config.release, "latest"),
        (config.release, "a/b"),
        (config.web_address, "blog.example.com"),
        (config.web_address, "ftp://blog.example.com"),
        (config.database_url, "blog.db"),
    ],
)
def test_value_is_refused(parse: Callable[[str], object], value: str) -> None:
    """Each parser refuses what it cannot read, and says what it takes."""
    with pytest.raises(ValueError, match="must be"):
        parse(value)


@pytest.mark.parametrize("value", ["", "  "])
def test_empty_is_unset(value: str) -> None:
    """An empty variable means the default, as an empty line in .env does."""
    assert load_config(TRUSTED_PROXIES=value).TRUSTED_PROXIES == 0


def test_value_is_stripped() -> None:
    """Blanks around a value do not count."""
    assert load_config(LOG_LEVEL=" debug ").LOG_LEVEL == "DEBUG"


def test_bad_value_stops() -> None:
    """A value that the app cannot run with ends the process with the variable's name."""
    with pytest.raises(SystemExit, match=r"^TRUSTED_PROXIES must be a whole number"):
        load_config(TRUSTED_PROXIES="many")


def test_bad_telemetry_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A bad value of telemetry's is one ERROR line; the app starts with the default."""
    assert load_config(SENTRY_TRACES_SAMPLE_RATE="nan").SENTRY_TRACES_SAMPLE_RATE == 0.1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_secret_key_is_required() -> None:
    """There is no app without a SECRET_KEY."""
    with pytest.raises(SystemExit, match="SECRET_KEY"):
        create_app(load_config())


def test_database_defaults_to_sqlite() -> None:
    """Without a DATABASE_URL the database is a file."""
    assert load_config().SQLALCHEMY_DATABASE_URI == "sqlite:///app.db"


def test_empty_database_stops() -> None:
    """An empty DATABASE_URL is an error: a container never writes to a file that is lost."""
    with pytest.raises(SystemExit, match=r"^DATABASE_URL is empty"):
        load_config(DATABASE_URL="")


def test_title_is_read() -> None:
    """The title is that of pyproject.toml."""
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tool["microblog"]["title"] == load_config().TITLE


def test_release_names_project() -> None:
    """The release is name@version of pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    release = load_config().SENTRY_RELEASE
    assert release == f"{project['name']}@{project['version']}"


def test_environment_overrides_release() -> None:
    """SENTRY_RELEASE is stronger than pyproject.toml."""
    assert load_config(SENTRY_RELEASE="blog@9.9.9").SENTRY_RELEASE == "blog@9.9.9"


@pytest.mark.parametrize(
    ("address", "secure"),
    [("https://blog.example.com", True), ("http://blog.example.com", False), ("", False)],
)
def test_https_secures_cookies(address: str, secure: bool) -> None:
    """Where PUBLIC_URL is https, neither cookie travels without TLS."""
    loaded = load_config(PUBLIC_URL=address)
    assert loaded.SESSION_COOKIE_SECURE is secure
    assert loaded.REMEMBER_COOKIE_SECURE is secure


def test_broken_route_is_off() -> None:
    """Nobody gets a public crash button without asking for it."""
    assert load_config().BROKEN_ROUTE is False
