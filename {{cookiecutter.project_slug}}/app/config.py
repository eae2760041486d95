"""The settings: pyproject.toml names the app, environment variables say how it runs."""

import os
import re
import sys
import tomllib
from collections import ChainMap
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from app import environment as env
from app.environment import Setting, setting

PYPROJECT = tomllib.loads(
    Path(__file__).parents[1].joinpath("pyproject.toml").read_text(encoding="utf-8")
)
NAME: str = PYPROJECT["project"]["name"]
COOKIE = re.sub("[^a-z0-9]+", "-", NAME.lower())
RELEASE = f"{NAME}@{PYPROJECT['project']['version']}"


class Config:
    """The settings of an app. `.env.example` explains each variable."""

    environment: ClassVar[Mapping[str, str]] = os.environ

    SECRET_KEY: str = setting(env.secret_key)
    PUBLIC_URL = setting(env.site_url, "")
    TRUSTED_PROXIES = setting(env.whole_number, 0)
    PORT = setting(env.port, 8000)
    WEB_CONCURRENCY = setting(env.positive_number, 2)
    CONTACT = setting(env.contact, "")
    LOG_LEVEL = setting(env.log_level, "INFO")
    BROKEN_ROUTE = setting(env.boolean, False)
    DATABASE_URL: str = setting(env.database_url)
    REDIS_URL = setting(env.redis_url, "memory://")
    SENTRY_DSN = setting(env.sentry_dsn, "")
    SENTRY_ENVIRONMENT = setting(env.sentry_name(64, "staging"), "production")
    SENTRY_RELEASE = setting(env.sentry_name(200, "app@1.2.3"), RELEASE)
    SENTRY_TRACES_SAMPLE_RATE = setting(env.rate, 0.1)
    SENTRY_PROFILE_SESSION_SAMPLE_RATE = setting(env.rate, 0.0)
    SENTRY_LOGS = setting(env.boolean, False)
    SENTRY_SPOTLIGHT = setting(env.url, "")

    TEMPLATES_AUTO_RELOAD = "FLASK_RUN_FROM_CLI" in os.environ  # make run shows edited templates
    TITLE: str = PYPROJECT["tool"]["app"]["title"]
    MAX_CONTENT_LENGTH = 63 * 1024  # bytes; there are no uploads. deploy/Caddyfile buffers as much
    # Two apps on one host must not replace each other's cookies.
    SESSION_COOKIE_NAME, REMEMBER_COOKIE_NAME = f"{COOKIE}_session", f"{COOKIE}_remember"
    SESSION_COOKIE_SAMESITE = REMEMBER_COOKIE_SAMESITE = "Lax"
    REMEMBER_COOKIE_HTTPONLY = True
    REMEMBER_COOKIE_DURATION = timedelta(days=30)
    WTF_CSRF_TIME_LIMIT = None  # a form stays valid as long as its session
    WTF_CSRF_SSL_STRICT = False  # app/errors.py looks at the Origin, or else at the Referer
    RATELIMIT_STORAGE_OPTIONS: ClassVar[dict[str, Any]] = {
        "socket_connect_timeout": 1,  # seconds, before counting in memory instead
        "socket_timeout": 1,
    }
    RATELIMIT_STRATEGY = "moving-window"
    RATELIMIT_IN_MEMORY_FALLBACK_ENABLED = True
    SENTRY_TRANSPORT: object = None  # None is the SDK's own transport

    def __init__(self) -> None:
        """Read the environment. Invalid settings end the process with one line for each."""
        errors: list[str] = []
        # Telemetry must not take the app down: an invalid setting falls back to its default.
        self.TELEMETRY_ERRORS: list[str] = []
        # The image sets DATABASE_URL to an empty value, which is invalid: a container must not
        # write to a SQLite file that is lost with it.
        variables = ChainMap(dict(self.environment), {"DATABASE_URL": "sqlite:///app.db"})
        for name, kind in vars(Config).items():
            if isinstance(kind, Setting):
                wrong = self.TELEMETRY_ERRORS if name.startswith("SENTRY_") else errors
                setattr(self, name, kind.read(name, variables, wrong))
        if errors:
            sys.exit("\n".join(errors))
        self.set_site()
        self.set_storage()

    def set_site(self) -> None:
        """Set what follows from PUBLIC_URL."""
        is_https = self.PUBLIC_URL.startswith("https:")
        self.PREFERRED_URL_SCHEME = "https" if is_https else "http"
        self.SESSION_COOKIE_SECURE = self.REMEMBER_COOKIE_SECURE = is_https
        # Health checks, and people on the server, ask the app without the proxy.
        host = urlsplit(self.PUBLIC_URL).hostname
        self.TRUSTED_HOSTS = [host, "127.0.0.1", "localhost"] if host else None

    def set_storage(self) -> None:
        """Set what follows from DATABASE_URL and REDIS_URL."""
        self.RATELIMIT_STORAGE_URI = self.REDIS_URL
        self.SQLALCHEMY_DATABASE_URI = self.DATABASE_URL
        self.SQLALCHEMY_ENGINE_OPTIONS: dict[str, Any] = {
            "hide_parameters": True,  # error messages go to the log and to Sentry
            "pool_pre_ping": True,  # survive a restart of the database
            "connect_args": {"timeout": 15},  # seconds; SQLite lets one request write at a time
        }
        if self.DATABASE_URL.startswith("postgresql"):
            self.SQLALCHEMY_ENGINE_OPTIONS |= {
                # Fewer connections than gunicorn has threads: while the database hangs, some
                # threads remain for what does not need it.
                "pool_size": 5,
                "max_overflow": 5,
                "pool_timeout": 3,  # seconds that a request waits for a connection
                # Seconds to connect, and milliseconds until sent data is acknowledged.
                # app/extensions.py limits the time of statements.
                "connect_args": {"connect_timeout": 3, "tcp_user_timeout": 5000},
            }
