"""Commands: flask seed, flask set-password, flask sentry-test."""

import random
import re
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click
import sentry_sdk
from flask import Flask, current_app
from flask.cli import with_appcontext
from sentry_sdk.utils import Dsn
from sqlalchemy import insert, inspect, select

from app.config import telemetry_faults
from app.extensions import db
from app.models import Post, User, followers, user_named, utcnow

BATCH = 10_000
SENTRY_TIMEOUT = 10  # seconds
NAMES = ("susan", "david", "maria", "chen", "amara", "john", "yuki", "leila")
SAYINGS = (
    "Good morning! Coffee first, then the backlog.",
    "Does anyone else name their test users after their cats?",
    "Shipped on a Friday. Nothing broke. Still suspicious.",
    "The best error message is the one you never see. The second best has a link.",
    "Reading old commit messages is like meeting a former self.",
    "It was DNS. It is always DNS.",
    "A walk in the rain solved what three hours at the desk did not.",
    "Just deleted 400 lines, and all the tests still pass.",
    "If it is not monitored, it is not in production.",
    "Today's lesson: read the stack trace from the bottom.",
)


def init_app(app: Flask) -> None:
    """Add the commands to `app`."""
    for command in (seed, set_password, sentry_test):
        app.cli.add_command(command)


@click.command()
@click.option("--size", default=60, show_default=True, type=click.IntRange(1), help="Posts.")
@with_appcontext
def seed(size: int) -> None:
    """Fill an empty database with users who follow each other, and with posts."""
    require_tables()
    if db.session.scalar(select(User.id).limit(1)):
        click.echo("There are users already: nothing was added.")
        return
    password = secrets.token_urlsafe(9)
    users = add_users(max(len(NAMES), min(size // 100, 1000)), password)
    add_follows(users)
    for done in add_posts(users, size):
        click.echo(f"{done:,} of {size:,} posts")
    click.echo(f"Log in as {NAMES[0]} with the password {password}")


def require_tables() -> None:
    """End the command with a line where the database was never migrated."""
    if not inspect(db.engine).has_table("user"):
        raise click.ClickException("The database is empty: run `flask db upgrade` first.")


def add_users(count: int, password: str) -> list[int]:
    """Add `count` users with one `password`; their ids."""
    hashed = User()
    hashed.set_password(password)
    names = [*NAMES, *(f"user{n}" for n in range(len(NAMES), count))]
    rows = [
        {"username": n, "email": f"{n}@example.com", "password_hash": hashed.password_hash}
        for n in names
    ]
    db.session.execute(insert(User), rows)
    db.session.commit()
    return list(db.session.scalars(select(User.id).order_by(User.id)))


def add_follows(users: list[int]) -> None:
    """Let the first user follow up to 500 others, and everybody else the next three."""
    pairs = [(users[0], other) for other in users[1:501]]
    for place, follower in enumerate(users[1:], start=1):
        pairs += [(follower, users[(place + step) % len(users)]) for step in (1, 2, 3)]
    rows = [{"follower_id": one, "followed_id": other} for one, other in pairs]
    db.session.execute(insert(followers), rows)
    db.session.commit()


def add_posts(users: list[int], size: int) -> Iterator[int]:
    """Add `size` posts of the last week, oldest first; how many there are after each batch."""
    dice = random.Random(size)
    step = timedelta(days=7) / size
    start = utcnow() - step * size
    for first in range(0, size, BATCH):
        last = min(first + BATCH, size)
        rows = [
            {
                "body": dice.choice(SAYINGS),
                "user_id": dice.choice(users),
                "timestamp": start + step * (n + 1),
            }
            for n in range(first, last)
        ]
        db.session.execute(insert(Post), rows)
        db.session.commit()
        yield last


@click.command()
@click.argument("username")
@click.password_option()
@with_appcontext
def set_password(username: str, password: str) -> None:
    """Give USERNAME a new password."""
    require_tables()
    user = user_named(username)
    if user is None:
        raise click.ClickException(f"There is no user {username}.")
    if len(password) < 8:
        raise click.ClickException("Use 8 characters or more.")
    user.set_password(password)
    db.session.commit()
    click.echo(f"{username} has a new password.")


@click.command()
@with_appcontext
def sentry_test() -> None:
    """Say how Sentry is wired, and whether an event arrives there. Fails if anything is wrong."""
    config = current_app.config
    if not config["SENTRY_DSN"]:
        raise click.ClickException("SENTRY_DSN is not set: put your project's DSN into .env.")
    dsn = sentry_sdk.get_client().parsed_dsn
    if dsn is None:
        raise click.ClickException("SENTRY_DSN is malformed: nothing was sent.")
    click.echo(f"Project      {dsn.project_id} at {dsn.netloc}, {place_of(dsn)}")
    click.echo(f"Release      {config['SENTRY_RELEASE']}")
    click.echo(f"Environment  {config['SENTRY_ENVIRONMENT']}")
    click.echo(f"Traces       {config['SENTRY_TRACES_SAMPLE_RATE'] * 100:g} % of the requests")
    click.echo(
        f"Profiles     {config['SENTRY_PROFILE_SESSION_SAMPLE_RATE'] * 100:g} % of the processes"
    )
    click.echo(f"Logs         {'from WARNING up' if config['SENTRY_LOGS'] else 'none'}")
    event_id, failure = send_event()
    if failure:
        raise click.ClickException(f"{dsn.netloc} did not take the event: {failure}.")
    click.echo(f"Event        {event_id} has arrived")
    if telemetry_faults:
        raise click.ClickException("\n".join(telemetry_faults))


def place_of(dsn: Dsn) -> str:
    """Whose Sentry it is: the cloud, with its region, or one of your own."""
    cloud = re.fullmatch(r"o\d+\.ingest\.(?:(\w+)\.)?sentry\.io", dsn.host)
    return f"Sentry's cloud, region {cloud[1] or 'us'}" if cloud else "self-hosted"


def send_event() -> tuple[str | None, str | None]:
    """Send a message; its id, and why it did not arrive where it did not."""
    dropped: list[str] = []
    transport: Any = sentry_sdk.get_client().transport
    transport.on_dropped_event = dropped.append
    start = time.monotonic()
    event_id = sentry_sdk.capture_message("flask sentry-test")
    sentry_sdk.flush(timeout=SENTRY_TIMEOUT)
    if time.monotonic() - start >= SENTRY_TIMEOUT:
        return event_id, f"no answer in {SENTRY_TIMEOUT} seconds"
    reasons = {"network": "nobody answers there", "status_403": "it does not know the key"}
    return event_id, reasons.get(dropped[0], dropped[0].replace("_", " ")) if dropped else None
