"""Commands: flask seed, flask set-password, flask reset-link, flask sentry-test."""

import re
import secrets
import sys
import time
from typing import Any

import click
import sentry_sdk
from flask import Flask, current_app, url_for
from flask.cli import with_appcontext
from sentry_sdk.utils import Dsn
from sqlalchemy import inspect, select

from app import accounts
from app import seed as sample
from app.extensions import db
from app.models import User, user_named

SENTRY_TIMEOUT = 10  # seconds


def init_app(app: Flask) -> None:
    """Add the commands to `app`."""
    for command in (seed, set_password, reset_link, sentry_test):
        app.cli.add_command(command)


@click.command()
@click.option("--size", default=60, show_default=True, type=click.IntRange(1), help="Posts.")
@with_appcontext
def seed(size: int) -> None:
    """Fill an empty database with users who follow each other, and with posts."""
    require_tables()
    name = next(iter(sample.ABOUT))
    if db.session.scalar(select(User.id).limit(1)):
        click.echo("There are users already, so nothing was added.")
        click.echo(f"To log in, choose a new password: {sys.argv[0]} set-password {name}")
        return
    password = secrets.token_urlsafe(9)
    sample.fill(size, password)
    click.echo(f"Log in as {name} with the password {password}")


def require_tables() -> None:
    """End the command with a message where the database was never migrated."""
    if not inspect(db.engine).has_table("user"):
        raise click.ClickException("The database has no tables: run `flask db upgrade` first.")


@click.command()
@click.argument("username")
@click.password_option()
@with_appcontext
def set_password(username: str, password: str) -> None:
    """Give USERNAME a new password."""
    user = existing_user(username)
    if accounts.is_weak(password, username):
        raise click.ClickException("Use a less common password of 8 characters or more.")
    accounts.set_password(user, password)
    click.echo(f"{username} has a new password.")


@click.command()
@click.argument("username")
@with_appcontext
def reset_link(username: str) -> None:
    """Print a link with which USERNAME can choose a new password, once, for a day."""
    token = accounts.reset_token(existing_user(username))
    site = current_app.config["PUBLIC_URL"] or "http://localhost:8000"
    with current_app.test_request_context(base_url=site):
        click.echo(url_for("auth.reset", token=token, _external=True))


def existing_user(username: str) -> User:
    """Return the user of that name, or end the command with a message."""
    require_tables()
    user = user_named(username)
    if user is None:
        raise click.ClickException(f"There is no user {username}.")
    return user


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
