"""Sentry: what is sent, how much of it, and what never leaves."""

import logging
import random
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

import sentry_sdk
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.logging import (
    LoggingIntegration,
    ignore_logger,
    ignore_logger_for_sentry_logs,
)
from sentry_sdk.types import Breadcrumb, Event, Hint, Log
from sentry_sdk.utils import Dsn

Line = TypeVar("Line", Breadcrumb, Log)

log = logging.getLogger(__name__)

NEVER_TRACED = ("/healthz", "/readyz", "/static/")
LOGGERS_OF_URLS = ("gunicorn.access", "werkzeug")  # with their queries
HEADERS_SENT = ("Accept", "Content-Length", "Content-Type", "Host", "User-Agent")

# Only what helps to mend an error: no person, no cookie, no form, no query, no variable's value.
DATA_COLLECTION: Any = {
    "user_info": False,
    "cookies": {"mode": "off"},
    "http_headers": {"request": {"mode": "allowlist", "terms": list(HEADERS_SENT)}},
    "http_bodies": [],
    "url_query_params": {"mode": "off"},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
}


def init_sentry(config: Mapping[str, Any]) -> None:
    """Start Sentry as `config` says; not at all without a DSN or Spotlight to send to."""
    dsn = usable_dsn(config["SENTRY_DSN"])
    if not (dsn or config["SENTRY_SPOTLIGHT"]):
        return
    rate = config["SENTRY_TRACES_SAMPLE_RATE"]
    sentry_sdk.init(
        dsn=dsn,  # empty is off; None would read the environment
        environment=config["SENTRY_ENVIRONMENT"],
        release=config["SENTRY_RELEASE"],
        spotlight=config["SENTRY_SPOTLIGHT"] or False,
        transport=config["SENTRY_TRANSPORT"],
        traces_sampler=sampler(rate) if rate else None,
        profile_session_sample_rate=config["SENTRY_PROFILE_SESSION_SAMPLE_RATE"],
        profile_lifecycle="trace",
        enable_logs=config["SENTRY_LOGS"],
        data_collection=DATA_COLLECTION,
        before_breadcrumb=drop_crash_line,
        before_send=scrub,
        before_send_log=drop_crash_line,
        before_send_transaction=scrub_transaction,
        integrations=[
            FlaskIntegration(transaction_style="url"),
            LoggingIntegration(sentry_logs_level=logging.WARNING),
        ],
    )
    for name in LOGGERS_OF_URLS:
        ignore_logger(name)
        ignore_logger_for_sentry_logs(name)


def usable_dsn(dsn: str) -> str:
    """`dsn`; empty, with a line in the log, where it is none: the app runs without Sentry."""
    try:
        if dsn:
            Dsn(dsn)
    except ValueError:
        log.error("SENTRY_DSN is no DSN, like https://KEY@HOST/PROJECT: Sentry is off.")
        return ""
    return dsn


def sampler(rate: float) -> Callable[[Mapping[str, Any]], float]:
    """The `traces_sampler` that keeps `rate` of the requests, whatever a client asks for."""

    def traces_sampler(context: Mapping[str, Any]) -> float:
        environ = context.get("wsgi_environ", {})
        if environ.get("PATH_INFO", "").startswith(NEVER_TRACED):
            return 0
        if context["parent_sampled"] is False:
            return 0
        if "HTTP_SENTRY_TRACE" in environ:  # its sample_rand may be forged: our own dice
            return float(random.random() < rate)
        return rate

    return traces_sampler


def scrub(event: Event, hint: Hint) -> Event | None:
    """`event` with its address as the route's rule, and only headers that tell of no person."""
    sent: Any = event.get("request")
    if sent:
        route = event.get("transaction") or ""
        scheme, host = urlsplit(sent.get("url", ""))[:2]
        headers = sent.get("headers", {})
        event["request"] = {
            "method": sent.get("method"),
            "url": f"{scheme}://{host}{route if route.startswith('/') else ''}",
            "headers": {name: headers[name] for name in HEADERS_SENT if name in headers},
        }
    return event


def drop_crash_line(entry: Line, hint: Hint) -> Line | None:
    """`entry`, unless it is Flask's line of a crash: that is an event already, without the path."""
    text: Any = entry.get("body") or entry.get("message")
    return None if str(text).startswith("Exception on /") else entry


def scrub_transaction(event: Event, hint: Hint) -> Event | None:
    """The same for a transaction. Spotlight gets all, so what is never traced ends here too."""
    if (event.get("transaction") or "").startswith(NEVER_TRACED):
        return None
    return scrub(event, hint)
