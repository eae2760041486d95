"""The command flask sentry-test."""

import re
import time
from typing import Any

import click
import sentry_sdk
from flask import current_app
from flask.cli import with_appcontext
from sentry_sdk.utils import Dsn

SENTRY_TIMEOUT = 10  # seconds


@click.command()
@with_appcontext
def sentry_test() -> None:
    """Print how Sentry is configured, and send it an event. Fail if anything is wrong."""
    config = current_app.config
    dsn = sentry_sdk.get_client().parsed_dsn
    if not config["SENTRY_DSN"] or dsn is None:
        errors = config["TELEMETRY_ERRORS"]
        raise click.ClickException(
            "\n".join(errors) or "SENTRY_DSN is not set: put the DSN of your project into .env."
        )
    click.echo(f"Project      {dsn.project_id} at {dsn.netloc}, {location_of(dsn)}")
    click.echo(f"Release      {config['SENTRY_RELEASE']}")
    click.echo(f"Environment  {config['SENTRY_ENVIRONMENT']}")
    click.echo(f"Traces       {config['SENTRY_TRACES_SAMPLE_RATE'] * 100:g} % of the requests")
    click.echo(
        f"Profiles     {config['SENTRY_PROFILE_SESSION_SAMPLE_RATE'] * 100:g} % of the processes"
    )
    click.echo(f"Logs         {'from WARNING up' if config['SENTRY_LOGS'] else 'none'}")
    event_id, failure = send_event()
    if failure:
        raise click.ClickException(f"{dsn.netloc} did not accept the event: {failure}.")
    click.echo(f"Event        {event_id} has arrived")
    if config["TELEMETRY_ERRORS"]:
        raise click.ClickException("\n".join(config["TELEMETRY_ERRORS"]))


def location_of(dsn: Dsn) -> str:
    """Return where the Sentry of `dsn` is: a region of Sentry's cloud, or self-hosted."""
    cloud = re.fullmatch(r"o\d+\.ingest\.(?:(\w+)\.)?sentry\.io", dsn.host)
    return f"Sentry's cloud, region {cloud[1] or 'us'}" if cloud else "self-hosted"


def send_event() -> tuple[str | None, str | None]:
    """Send a message. Return the id of its event, and the reason if it did not arrive."""
    dropped: list[str] = []
    transport: Any = sentry_sdk.get_client().transport
    transport.on_dropped_event = dropped.append
    start = time.monotonic()
    event_id = sentry_sdk.capture_message("flask sentry-test")
    sentry_sdk.flush(timeout=SENTRY_TIMEOUT)
    if time.monotonic() - start >= SENTRY_TIMEOUT:
        return event_id, f"no response in {SENTRY_TIMEOUT} seconds"
    reasons = {"network": "the host does not respond", "status_403": "it does not know the key"}
    return event_id, reasons.get(dropped[0], dropped[0].replace("_", " ")) if dropped else None
