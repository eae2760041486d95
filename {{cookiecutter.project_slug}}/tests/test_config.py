"""The settings, and what environment variables may say."""

import logging
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import make_url, text

from app import create_app
from app import environment as env
from app.config import RELEASE, Config
from app.environment import Kind, Setting
from app.extensions import db
from tests.conftest import ROOT, TestConfig, config_class

environment_name, release_name = env.sentry_name(64, "staging"), env.sentry_name(200, "a@1")
REQUIRED = {"SECRET_KEY": "0123456789abcdef" * 2}


def load(**variables: str) -> Config:
    """Return the settings that these environment variables make, with a secret key."""
    loaded: Config = type("LoadedConfig", (Config,), {"environment": REQUIRED | variables})()
    return loaded


@pytest.mark.parametrize(
    ("kind", "value", "parsed"),
    [
        (env.boolean, "1", True),
        (env.boolean, "True", True),
        (env.boolean, "on", True),
        (env.boolean, "0", False),
        (env.boolean, "false", False),
        (env.boolean, "OFF", False),
        (env.rate, "0", 0.0),
        (env.rate, ".25", 0.25),
        (env.rate, "1.0", 1.0),
        (env.whole_number, "12", 12),
        (env.positive_number, "12", 12),
        (env.log_level, "debug", "DEBUG"),
        (env.port, "65535", 65535),
        (env.secret_key, "x" * 32, "x" * 32),
        (env.sentry_dsn, "https://key@sentry.io/1", "https://key@sentry.io/1"),
        (environment_name, "staging", "staging"),
        (environment_name, "development", "development"),
        (environment_name, "é" * 32, "é" * 32),
        (release_name, "é" * 100, "é" * 100),
        (release_name, "app@1.2.3+4", "app@1.2.3+4"),
        (env.contact, "susan@example.com", "mailto:susan@example.com"),
        (env.contact, "https://example.com/help", "https://example.com/help"),
        (env.url, "https://www.example.com", "https://www.example.com"),
        (env.site_url, "https://www.example.com", "https://www.example.com"),
        (env.url, "http://localhost:8969/stream", "http://localhost:8969/stream"),
        (env.redis_url, "redis://:p@db:6379/0", "redis://:p@db:6379/0"),
        (
            env.redis_url,
            "redis://[::1]:6379/0?socket_timeout=2",
            "redis://[::1]:6379/0?socket_timeout=2",
        ),
        (env.redis_url, "unix:///run/redis.sock", "redis+unix:///run/redis.sock"),
        (env.database_url, "sqlite:///app.db", "sqlite:///app.db"),
    ],
)
def test_valid_value(kind: Kind, value: str, parsed: object) -> None:
    """Each kind returns the parsed value."""
    assert kind.parse(value) == parsed


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (env.boolean, "yes please"),
        (env.rate, "1.5"),
        (env.rate, "-0.1"),
        (env.rate, "nan"),
        (env.rate, "1e-1"),
        (env.rate, "\u0660"),
        (env.contact, "susan"),
        (env.contact, "javascript:alert(1)"),
        (env.whole_number, "-1"),
        (env.whole_number, "1_0"),
        (env.whole_number, "\u0663"),
        (env.positive_number, "0"),
        (env.positive_number, "abc"),
        (env.port, "0"),
        (env.port, "65536"),
        (env.port, "\u0663"),
        (env.log_level, "LOUD"),
        (env.secret_key, ""),
        (env.secret_key, "x" * 31),
        (env.sentry_dsn, "https://key@sentry.io"),
        (env.sentry_dsn, "https://sentry.io:port/1"),
        (environment_name, "none"),
        (environment_name, "two words"),
        (environment_name, "é" * 32 + "e"),
        (release_name, "é" * 100 + "e"),
        (release_name, "latest"),
        (release_name, "a/b"),
        (release_name, "a\x07b"),
        (env.url, "www.example.com"),
        (env.url, "ftp://www.example.com"),
        (env.url, "http://localhost:99999/stream"),
        (env.url, "http://localhost:port/stream"),
        (env.url, "http://[::1/stream"),
        (env.site_url, "https://www.example.com/"),
        (env.site_url, "https://www.example.com/shop"),
        (env.site_url, "https://a b"),
        (env.site_url, "https://user@host"),
        (env.site_url, "https://www.example.com:65536"),
        (env.site_url, "https://\xe9.example.com"),
        (env.site_url, "https://[::1]"),
        (env.database_url, ""),
        (env.database_url, "app.db"),
        (env.database_url, "nothing://db/app"),
        (env.database_url, "postgresql+asyncpg://db/app"),
        (env.database_url, "postgresql://db:port/app"),
        (env.database_url, "postgresql://db/app?pgbouncer=true"),
        (env.database_url, "postgresql://db/app?schema=public"),
        (env.redis_url, "nonsense"),
        (env.redis_url, "redis://db:port/0"),
        (env.redis_url, "redis://db:/0"),
    ],
)
def test_invalid_value(kind: Kind, value: str) -> None:
    """Each kind raises a ValueError that says what is expected."""
    with pytest.raises(ValueError, match=r"^(a |at least|the URL|1 or 0)"):
        kind.parse(value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_has_a_driver(scheme: str) -> None:
    """However a hosting service writes it, PostgreSQL has our driver and timeouts."""
    url = make_url(env.database_url.parse(f"{scheme}://u:p@db/app?connect_timeout=9"))
    assert (url.drivername, url.password) == ("postgresql+psycopg", "p")
    assert url.query == {"connect_timeout": "9"}


@pytest.mark.parametrize("value", ["", "  "])
def test_empty_is_unset(value: str) -> None:
    """An empty variable means the default, as an empty line in .env does."""
    assert load(TRUSTED_PROXIES=value).TRUSTED_PROXIES == 0


def test_value_is_stripped() -> None:
    """Whitespace around a value is ignored."""
    assert load(LOG_LEVEL=" debug ").LOG_LEVEL == "DEBUG"


def test_all_invalid_settings_are_reported() -> None:
    """Each invalid setting has a line with its name and an example."""
    with pytest.raises(SystemExit) as error:
        load(TRUSTED_PROXIES="many", LOG_LEVEL="loud", WEB_CONCURRENCY="0")
    names = [line.split()[0] for line in str(error.value).splitlines()]
    assert names == ["TRUSTED_PROXIES", "WEB_CONCURRENCY", "LOG_LEVEL"]


def test_secret_is_not_repeated() -> None:
    """The message about an invalid secret does not contain it."""
    with pytest.raises(SystemExit, match=r"^(?!.*hunter2)SECRET_KEY is not valid"):
        load(SECRET_KEY="hunter2")


def test_invalid_telemetry_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An invalid telemetry setting is one ERROR line, and the app starts with the default."""
    app = create_app(config_class(SENTRY_TRACES_SAMPLE_RATE="nan"))
    assert app.config["SENTRY_TRACES_SAMPLE_RATE"] == 0.1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_secret_key_is_required() -> None:
    """Without a SECRET_KEY the process ends."""
    with pytest.raises(SystemExit, match="SECRET_KEY is not valid"):
        load(SECRET_KEY="")


def test_database_defaults_to_sqlite() -> None:
    """Without a DATABASE_URL the database is a file."""
    assert load().SQLALCHEMY_DATABASE_URI == "sqlite:///app.db"


def test_lost_connection_is_replaced(empty_app: Flask) -> None:
    """No request fails because the database was restarted since the one before."""
    with empty_app.app_context():
        connection: Any = db.session.connection().connection.driver_connection
        db.session.remove()
        connection.close()
        assert db.session.scalar(text("SELECT 1")) == 1


def test_empty_database_url_is_invalid() -> None:
    """A container, whose DATABASE_URL is set empty, never writes to a file that is lost."""
    with pytest.raises(SystemExit, match=r"^DATABASE_URL is not valid"):
        load(DATABASE_URL="")


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    """Return a file with a database URL, which is long enough for a secret key."""
    path = tmp_path / "secret"
    path.write_text("postgres://user:password@database/app\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("variable", ["SECRET_KEY", "DATABASE_URL"])
def test_file_overrides_variable(secret_file: Path, variable: str) -> None:
    """A secret comes from a file if a variable names one."""
    loaded = load(**{f"{variable}_FILE": str(secret_file), variable: "in a file"})
    assert "user:password@database" in loaded.SECRET_KEY + loaded.SQLALCHEMY_DATABASE_URI


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff"])
@pytest.mark.parametrize("variable", ["SECRET_KEY_FILE", "DATABASE_URL_FILE"])
def test_file_without_secret(variable: str, content: bytes | None, tmp_path: Path) -> None:
    """A file without a secret ends the process with the variable's name."""
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(SystemExit, match=rf"^{variable} is not valid: expected a readable file"):
        load(**{variable: str(tmp_path / "secret")})


def test_pyproject_names_the_app() -> None:
    """Title and release are those of pyproject.toml."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = document["project"]
    assert document["tool"]["app"]["title"] == load().TITLE
    assert f"{project['name']}@{project['version']}" == RELEASE


def test_environment_overrides_release() -> None:
    """SENTRY_RELEASE overrides pyproject.toml."""
    assert load(SENTRY_RELEASE="app@9.9.9").SENTRY_RELEASE == "app@9.9.9"


@pytest.mark.parametrize(
    ("url", "secure"),
    [("https://www.example.com", True), ("http://www.example.com", False), ("", False)],
)
def test_https_secures_cookies(url: str, secure: bool) -> None:
    """Where PUBLIC_URL is https, neither cookie is sent without TLS."""
    loaded = load(PUBLIC_URL=url)
    assert (secure, secure) == (loaded.SESSION_COOKIE_SECURE, loaded.REMEMBER_COOKIE_SECURE)


def test_public_url_names_the_site() -> None:
    """PUBLIC_URL sets the host that requests may name, and the scheme of links."""
    loaded = load(PUBLIC_URL="https://www.example.com")
    assert loaded.TRUSTED_HOSTS == ["www.example.com", "127.0.0.1", "localhost"]
    assert loaded.PREFERRED_URL_SCHEME == "https"


def test_broken_route_is_off() -> None:
    """There is no public crash button unless somebody asks for one."""
    assert load().BROKEN_ROUTE is False


def test_tests_ignore_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer exports does not reach the tests."""
    monkeypatch.setenv("LOG_LEVEL", "nonsense")
    monkeypatch.setenv("SENTRY_LOGS", "1")
    assert TestConfig().SENTRY_LOGS is False


def test_example_explains_every_setting() -> None:
    """`.env.example` has a line for each setting that the app reads."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    explained = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    settings = {name for name, kind in vars(Config).items() if isinstance(kind, Setting)}
    assert "SENTRY_LOGS" in settings
    assert settings - explained == set()


@pytest.mark.parametrize(
    "name",
    [
        "LOG_LEVEL",
        "PORT",
        "SENTRY_LOGS",
        "SENTRY_PROFILE_SESSION_SAMPLE_RATE",
        "TRUSTED_PROXIES",
        "WEB_CONCURRENCY",
    ],
)
def test_example_shows_the_default(name: str) -> None:
    """A line of `.env.example` that is commented out shows the default of its setting."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    [value] = re.findall(rf"^# {name}=(.+)$", example, re.MULTILINE)
    assert getattr(load(**{name: value}), name) == getattr(load(), name)
