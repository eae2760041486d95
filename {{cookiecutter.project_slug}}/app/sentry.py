"""Sentry: what is sent, and how much of it."""

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
from sqlalchemy.exc import InterfaceError, OperationalError

from app.scrubbing import DATA_COLLECTION, Scrubber

log = logging.getLogger(__name__)

NEVER_TRACED = ("/browser/", "/healthz", "/readyz", "/static/")
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
URL_LOGGERS = ("gunicorn.access", "werkzeug")  # they log URLs with their queries


def init_sentry(config: Mapping[str, Any]) -> None:
    """Start Sentry, unless there is neither a DSN nor a Spotlight to send to."""
    if not (config["SENTRY_DSN"] or config["SENTRY_SPOTLIGHT"]):
        return
    rate = config["SENTRY_TRACES_SAMPLE_RATE"]
    scrubber = Scrubber(config)
    sentry_sdk.init(
        dsn=config["SENTRY_DSN"],  # empty means off, None would read the environment
        environment=config["SENTRY_ENVIRONMENT"],
        release=config["SENTRY_RELEASE"],
        spotlight=config["SENTRY_SPOTLIGHT"] or False,
        transport=config["SENTRY_TRANSPORT"],
        traces_sampler=sampler(rate) if rate else None,
        profile_session_sample_rate=config["SENTRY_PROFILE_SESSION_SAMPLE_RATE"],
        profile_lifecycle="trace",
        data_collection=DATA_COLLECTION,
        before_send=lambda event, hint: scrubber.event(group_lost_database(event, hint)),
        before_send_log=lambda entry, hint: scrubber.log(entry),
        before_send_transaction=lambda event, hint: (
            None if is_never_traced(event.get("transaction")) else scrubber.transaction(event)
        ),
        integrations=[
            FlaskIntegration(transaction_style="url", http_methods_to_capture=METHODS),
            LoggingIntegration(
                level=logging.INFO,  # for breadcrumbs
                event_level=logging.ERROR,
                capture_sentry_logs=config["SENTRY_LOGS"],
                sentry_logs_level=logging.WARNING,
            ),
        ],
        # ArgvIntegration sends command-line arguments; RedisIntegration sends rate-limit keys,
        # which contain IP addresses.
        disabled_integrations=[ArgvIntegration, RedisIntegration],
    )
    for name in URL_LOGGERS:
        ignore_logger(name)
    for name in (*URL_LOGGERS, "gunicorn.error"):  # which warns of requests with their IP addresses
        ignore_logger_for_sentry_logs(name)
    # Spotlight shows tags, but not the release. Sentry ignores a tag of this name.
    sentry_sdk.get_global_scope().set_tag("release", config["SENTRY_RELEASE"])
    transport: Any = sentry_sdk.get_client().transport
    if transport:
        transport.on_dropped_event = report_loss


@cache
def report_loss(reason: str) -> None:
    """Log, once for each reason, that Sentry does not receive what is sent."""
    log.warning("Sentry events are being dropped (%s).", reason.replace("_", " "))


def is_never_traced(path: str | None) -> bool:
    """Return whether `path` is that of a health check or of a static file."""
    return (path or "").startswith(NEVER_TRACED)


def sampler(rate: float) -> Callable[[Mapping[str, Any]], float]:
    """Return a `traces_sampler` that keeps `rate` of the requests, whatever a client asks for.

    | request                                         | share that is kept                |
    | ----------------------------------------------- | --------------------------------- |
    | health check, static file                       | none                              |
    | the client says that its trace is not sampled   | none                              |
    | the client sends a trace that is or may be      | `rate`, drawn anew, because a     |
    | sampled                                         | client can forge `sample_rand`    |
    | without a trace                                 | `rate`                            |

    For a trace that a client began, Sentry is told the rate 1 and does not extrapolate counts.
    """

    def traces_sampler(context: Mapping[str, Any]) -> float:
        environ = context.get("wsgi_environ", {})
        if is_never_traced(environ.get("PATH_INFO")) or context["parent_sampled"] is False:
            return 0
        if "HTTP_SENTRY_TRACE" in environ:
            return float(random.random() < rate)
        return rate

    return traces_sampler


def group_lost_database(event: Event, hint: Hint) -> Event:
    """Return `event`, grouped into one issue with all others if the database is unreachable."""
    if is_lost_database((hint.get("exc_info") or (None, None))[1]):
        event["fingerprint"] = ["database"]
    return event


def is_lost_database(error: object) -> bool:
    """Return whether the server is unreachable, went away or shuts down (SQLSTATE 08, 57P)."""
    if not isinstance(error, InterfaceError | OperationalError):
        return False
    # SQLite's errors have no state. PostgreSQL's have None if no server could be asked for one.
    state = getattr(error.orig, "sqlstate", "")
    return state is None or state.startswith(("08", "57P"))


def trace_id() -> str | None:
    """Return the id of the trace that this request belongs to, or None while Sentry is off."""
    if not sentry_sdk.is_initialized():
        return None
    return (sentry_sdk.get_traceparent() or "").partition("-")[0] or None
