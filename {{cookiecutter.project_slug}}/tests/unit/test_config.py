"""Settings: what the environment may say."""

import logging
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url

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
        (config.redis_url, "redis://:p@db:6379/0", "redis://:p@db:6379/0"),
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
        (config.release, "a\x07b"),
        (config.environment, "é" * 33),
        (config.database_url, "blog.db"),
        (config.database_url, "nothing://db/blog"),
        (config.database_url, "postgresql+asyncpg://db/blog"),
        (config.database_url, "postgresql://db:port/blog"),
        (config.redis_url, "nonsense"),
        (config.redis_url, "redis://db:port/0"),
    ],
)
def test_value_is_refused(parse: Callable[[str], object], value: str) -> None:
    """Each parser refuses what it cannot read, and says what it takes."""
    with pytest.raises(ValueError, match="must be"):
        parse(value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_has_a_driver(scheme: str) -> None:
    """However a host spells PostgreSQL, it is ours, and it cannot hang for ever."""
    url = make_url(config.database_url(f"{scheme}://u:p@db/blog?connect_timeout=9"))
    assert (url.drivername, url.password) == ("postgresql+psycopg", "p")
    assert url.query == {"connect_timeout": "9", "tcp_user_timeout": "5000"}


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


def test_secrets_come_from_files(tmp_path: Path) -> None:
    """Docker keeps secrets in files; a variable that names one outranks the secret's own."""
    secret = tmp_path / "secret"
    secret.write_text("postgres://u:p@db/blog\n", encoding="utf-8")
    files = {"SECRET_KEY_FILE": str(secret), "DATABASE_URL_FILE": str(secret)}
    loaded = load_config(**files, DATABASE_URL="in a file", SECRET_KEY="in a file")
    assert loaded.SECRET_KEY == "postgres://u:p@db/blog"
    assert loaded.SQLALCHEMY_DATABASE_URI.startswith("postgresql+psycopg://u:p@db/blog")


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff"])
@pytest.mark.parametrize("variable", ["SECRET_KEY_FILE", "DATABASE_URL_FILE"])
def test_missing_secret_stops(variable: str, content: bytes | None, tmp_path: Path) -> None:
    """A file without a secret ends the process with the variable's name."""
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SystemExit, match=rf"^{variable} must name a file"):
        load_config(**{variable: str(tmp_path / "secret")})


def test_title_is_read() -> None:
    """The title is that of pyproject.toml."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    title = load_config().TITLE
    assert title == document["tool"]["microblog"]["title"]


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
