"""Sentry: everything that decides what is sent, and how much of it."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import sentry_sdk
from flask import Flask, current_app, request, request_tearing_down
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.flask import FlaskIntegration
from sentry_sdk.integrations.logging import (
    LoggingIntegration,
    ignore_logger,
    ignore_logger_for_sentry_logs,
)
from sentry_sdk.integrations.redis import RedisIntegration
from sentry_sdk.types import Event, Hint

from app.extensions import is_lost_database
from app.sentry.commands import sentry_test
from app.sentry.private import remember_request
from app.sentry.sampling import is_never_traced, sampler
from app.sentry.scrubbing import DATA_COLLECTION, Scrubber

log = logging.getLogger(__name__)

METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
PAUSE = timedelta(seconds=5)
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
        auto_session_tracking=False,  # it would count health checks, too
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
    request_tearing_down.connect(remember_request)
    for name in URL_LOGGERS:
        ignore_logger(name)
    for name in (*URL_LOGGERS, "gunicorn.error"):  # which warns of requests with their IP addresses
        ignore_logger_for_sentry_logs(name)
    # Spotlight shows tags, but not the release. Sentry ignores a tag of this name.
    sentry_sdk.get_global_scope().set_tag("release", config["SENTRY_RELEASE"])
    transport: Any = sentry_sdk.get_client().transport
    if transport:
        transport.on_dropped_event = note_loss


def note_loss(reason: str) -> None:
    """Report that an event was dropped, and send none for a while where Sentry cannot take any.

    To connect, retry and fail costs as much CPU as a request. A Sentry that is silent, or asks for
    a pause, costs less, because the SDK drops events unsent.
    """
    report_loss(reason)
    transport: Any = sentry_sdk.get_client().transport
    if reason == "network" or reason.startswith("status_5"):
        transport._disabled_until[None] = datetime.now(UTC) + PAUSE


def init_app(app: Flask) -> None:
    """Count the requests to `app` as sessions, from which Sentry tells a release's health."""
    app.before_request(start_session)
    app.teardown_request(end_session)
    app.cli.add_command(sentry_test)
    app.add_template_global(spotlight_url)


def start_session() -> None:
    """Begin a session. Health checks and static files would hide how many people meet a crash."""
    if sentry_sdk.is_initialized() and not is_never_traced(request.path):
        sentry_sdk.get_isolation_scope().start_session(session_mode="request")


def end_session(_: object) -> None:
    """End the session, if there is one."""
    sentry_sdk.get_isolation_scope().end_session()


@cache
def report_loss(reason: str) -> None:
    """Log, once for each reason, that Sentry does not receive what is sent."""
    log.warning("Sentry events are being dropped (%s).", reason.replace("_", " "))


def group_lost_database(event: Event, hint: Hint) -> Event:
    """Return `event`, grouped into one issue with all others if the database is unreachable."""
    if is_lost_database((hint.get("exc_info") or (None, None))[1]):
        event["fingerprint"] = ["database"]
    return event


def spotlight_url() -> str:
    """Return the URL at which a browser on this machine finds the errors in Spotlight.

    In Docker, the app sends to a host name that only containers know.
    """
    port = urlsplit(current_app.config["SENTRY_SPOTLIGHT"]).port or 8969
    return f"http://127.0.0.1:{port}/telemetry/errors"


def trace_id() -> str | None:
    """Return the id of the trace that this request belongs to, or None while Sentry is off."""
    if not sentry_sdk.is_initialized():
        return None
    return (sentry_sdk.get_traceparent() or "").partition("-")[0] or None
