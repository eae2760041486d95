"""Sentry: what is sent, how much of it, and what never leaves."""

import logging
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import sentry_sdk
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.logging import (
    LoggingIntegration,
    ignore_logger,
    ignore_logger_for_sentry_logs,
)
from sentry_sdk.integrations.redis import RedisIntegration
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import Dsn

from app.scrubbing import (
    DATA_COLLECTION,
    Scrubber,
    drop_crash_line,
    scrub_request,
)

log = logging.getLogger(__name__)

NEVER_TRACED = ("/healthz", "/readyz", "/static/")
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
LOGGERS_OF_URLS = ("gunicorn.access", "werkzeug")  # with their queries


def init_sentry(config: Mapping[str, Any]) -> None:
    """Start Sentry as `config` says; not at all without a DSN or Spotlight to send to."""
    dsn = usable_dsn(config["SENTRY_DSN"])
    if not (dsn or config["SENTRY_SPOTLIGHT"]):
        return
    rate = config["SENTRY_TRACES_SAMPLE_RATE"]
    scrubber = Scrubber(config)
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
        before_send=scrubber.event,
        before_send_log=scrubber.log,
        before_send_transaction=scrub_transaction,
        integrations=[
            FlaskIntegration(transaction_style="url", http_methods_to_capture=METHODS),
            LoggingIntegration(sentry_logs_level=logging.WARNING),
        ],
        # The one sends what is typed after a command, the other people's addresses, by which
        # logins are counted.
        disabled_integrations=[ArgvIntegration, RedisIntegration],
    )
    for name in LOGGERS_OF_URLS:
        ignore_logger(name)
        ignore_logger_for_sentry_logs(name)
    transport: Any = sentry_sdk.get_client().transport
    if transport:
        transport.on_dropped_event = tell_of_loss


@cache
def tell_of_loss(reason: str) -> None:
    """Log, once for each reason, that what is sent does not arrive."""
    log.warning("Sentry does not get what is sent to it (%s).", reason.replace("_", " "))


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
    """The `traces_sampler` that keeps `rate` of the requests, whatever a client asks for.

    | request                           | share kept                                    |
    | --------------------------------- | --------------------------------------------- |
    | health check, static file         | none                                          |
    | its sender did not sample it      | none                                          |
    | its sender did, or did not say    | `rate`, by our own dice: theirs may be loaded |
    | it comes without a trace          | `rate`                                        |

    Of a trace that a client began, Sentry is told the rate 1 and extrapolates no counts from it.
    """

    def traces_sampler(context: Mapping[str, Any]) -> float:
        environ = context.get("wsgi_environ", {})
        if environ.get("PATH_INFO", "").startswith(NEVER_TRACED):
            return 0
        if context["parent_sampled"] is False:
            return 0
        if "HTTP_SENTRY_TRACE" in environ:
            return float(random.random() < rate)
        return rate

    return traces_sampler


def scrub_transaction(event: Event, hint: Hint) -> Event | None:
    """`event` scrubbed; none of what is never traced, which Spotlight asks for all the same."""
    if (event.get("transaction") or "").startswith(NEVER_TRACED):
        return None
    return scrub_request(event)


def trace_id() -> str | None:
    """The id of the trace that this request is part of; None while Sentry is off."""
    if not sentry_sdk.is_initialized():
        return None
    return (sentry_sdk.get_traceparent() or "").partition("-")[0] or None
