"""Commands: flask set-password, flask reset-link."""

import click
from flask import current_app, url_for
from flask.cli import with_appcontext
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

from app.auth import passwords, service
from app.auth.models import User, user_named
from app.extensions import db


@click.command()
@click.argument("username")
@click.password_option()
@with_appcontext
def set_password(username: str, password: str) -> None:
    """Give USERNAME a new password."""
    user = existing_user(username)
    if passwords.is_weak(password, username):
        raise click.ClickException("Use a less common password of 8 characters or more.")
    if not service.set_password(user, password):
        raise click.ClickException(f"{username} has just got another password.")
    click.echo(f"{username} has a new password.")


@click.command()
@click.argument("username")
@with_appcontext
def reset_link(username: str) -> None:
    """Print a link with which USERNAME can choose a new password, once, for a day."""
    token = service.reset_token(existing_user(username))
    site = current_app.config["PUBLIC_URL"] or f"http://127.0.0.1:{current_app.config['PORT']}"
    with current_app.test_request_context(base_url=site):
        click.echo(url_for("auth.reset", token=token, _external=True))


def existing_user(username: str) -> User:
    """Return the user of that name, or end the command with a message."""
    require_tables()
    user = user_named(username)
    if user is None:
        raise click.ClickException(f"There is no user {username}.")
    return user


def require_tables() -> None:
    """End the command with a message where there is no database, or it was never migrated."""
    try:
        has_tables = inspect(db.engine).has_table("user")
    except OperationalError as error:
        raise click.ClickException(f"Cannot connect to the database: {error.orig}") from error
    if not has_tables:
        raise click.ClickException("The database has no tables: run `flask db upgrade` first.")
