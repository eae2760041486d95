"""The settings: pyproject.toml names the app, environment variables say how it runs."""

import os
import sys
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from app import environment as parse
from app.environment import Environment

PYPROJECT = tomllib.loads(
    Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8")
)
RELEASE = f"{PYPROJECT['project']['name']}@{PYPROJECT['project']['version']}"


class Config:
    """The settings of an app. `.env.example` explains each variable."""

    environment: ClassVar[Mapping[str, str]] = os.environ

    TITLE: str = PYPROJECT["tool"]["microblog"]["title"]
    MAX_CONTENT_LENGTH = 64 * 1024  # bytes; there are no uploads
    SESSION_COOKIE_SAMESITE = REMEMBER_COOKIE_SAMESITE = "Lax"
    REMEMBER_COOKIE_HTTPONLY = True
    REMEMBER_COOKIE_DURATION = timedelta(days=30)
    WTF_CSRF_TIME_LIMIT = None  # a form stays valid as long as its session
    SQLALCHEMY_ENGINE_OPTIONS: dict[str, Any] = {  # noqa: RUF012
        "hide_parameters": True,  # error messages go to the log and to Sentry
        "pool_pre_ping": True,  # survive a restart of the database
    }
    RATELIMIT_STORAGE_OPTIONS: ClassVar[dict[str, Any]] = {
        "socket_connect_timeout": 1,  # seconds, before counting in memory instead
        "socket_timeout": 1,
    }
    RATELIMIT_STRATEGY = "moving-window"
    RATELIMIT_IN_MEMORY_FALLBACK_ENABLED = True
    RATELIMIT_HEADERS_ENABLED = True  # sends Retry-After with a 429
    SENTRY_TRANSPORT: object = None  # None is the SDK's own transport

    def __init__(self) -> None:
        """Read the environment. Invalid settings end the process with one line for each."""
        env = Environment(self.environment)
        self.read_app(env)
        self.read_database(env)
        # Telemetry must not take the app down: an invalid setting falls back to its default.
        telemetry = Environment(self.environment)
        self.read_sentry(telemetry)
        self.TELEMETRY_ERRORS = telemetry.errors
        if env.errors:
            sys.exit("\n".join(env.errors))

    def read_app(self, env: Environment) -> None:
        """Read how the app is served."""
        self.SECRET_KEY = env.read("SECRET_KEY", parse.secret_key)
        self.PUBLIC_URL = env.read("PUBLIC_URL", parse.site_url, "")
        self.TRUSTED_PROXIES = env.read("TRUSTED_PROXIES", parse.whole_number, 0)
        self.WEB_CONCURRENCY = env.read("WEB_CONCURRENCY", parse.positive_number, 2)
        self.LOG_LEVEL = env.read("LOG_LEVEL", parse.log_level, "INFO")
        self.BROKEN_ROUTE = env.read("BROKEN_ROUTE", parse.boolean, False)
        # Health checks and a look by hand reach the app without the proxy.
        site = urlsplit(self.PUBLIC_URL).hostname
        self.TRUSTED_HOSTS = [site, "127.0.0.1", "localhost"] if site else None
        is_https = self.PUBLIC_URL.startswith("https:")
        self.PREFERRED_URL_SCHEME = "https" if is_https else "http"
        self.SESSION_COOKIE_SECURE = self.REMEMBER_COOKIE_SECURE = is_https

    def read_database(self, env: Environment) -> None:
        """Read where data is kept."""
        # The image sets DATABASE_URL to an empty value, which is invalid: a container must not
        # write to a SQLite file that is lost with it.
        default = None if "DATABASE_URL" in self.environment else "sqlite:///app.db"
        url = env.read("DATABASE_URL", parse.database_url, default)
        self.SQLALCHEMY_DATABASE_URI = url
        if url and url.startswith("postgresql"):
            # Fewer connections than gunicorn has threads: while the database hangs, some threads
            # remain for what does not need it. A request waits 3 s for a connection.
            pool = {"pool_size": 5, "max_overflow": 5, "pool_timeout": 3}
            self.SQLALCHEMY_ENGINE_OPTIONS = self.SQLALCHEMY_ENGINE_OPTIONS | pool
        self.RATELIMIT_STORAGE_URI = env.read("REDIS_URL", parse.redis_url, "memory://")

    def read_sentry(self, env: Environment) -> None:
        """Read what Sentry gets."""
        self.SENTRY_DSN = env.read("SENTRY_DSN", parse.sentry_dsn, "")
        self.SENTRY_ENVIRONMENT = env.read(
            "SENTRY_ENVIRONMENT", parse.sentry_environment, "production"
        )
        self.SENTRY_RELEASE = env.read("SENTRY_RELEASE", parse.sentry_release, RELEASE)
        self.SENTRY_TRACES_SAMPLE_RATE = env.read("SENTRY_TRACES_SAMPLE_RATE", parse.rate, 0.1)
        self.SENTRY_PROFILE_SESSION_SAMPLE_RATE = env.read(
            "SENTRY_PROFILE_SESSION_SAMPLE_RATE", parse.rate, 0.0
        )
        self.SENTRY_LOGS = env.read("SENTRY_LOGS", parse.boolean, False)
        self.SENTRY_SPOTLIGHT = env.read("SENTRY_SPOTLIGHT", parse.url, "")


class TestConfig(Config):
    """The settings of the tests. They come from an environment of their own."""

    __test__ = False  # pytest would collect a class of this name
    environment = {  # noqa: RUF012
        "SECRET_KEY": "only-for-tests-" * 3,
        "DATABASE_URL": "sqlite://",
        "BROKEN_ROUTE": "1",
        "SENTRY_ENVIRONMENT": "test",
    }
    TESTING = True
    WTF_CSRF_ENABLED = False
