"""The commands `flask set-password` and `flask reset-link`."""

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sqlalchemy import select, update

from app import create_app
from app.auth import passwords, service
from app.auth.models import User
from app.extensions import db
from tests.auth.conftest import NEW, Change, change_user, is_logged_in
from tests.conftest import QUICK_HASH, AuthActions, Database, config_class, quick_hash


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Return a terminal."""
    return app.test_cli_runner()


@pytest.mark.parametrize(
    "command", [["set-password", "susan", "--password", NEW], ["reset-link", "susan"]]
)
def test_tables_are_missing(empty_app: Flask, command: list[str]) -> None:
    """On a database that was never migrated, a command says what to do first."""
    result = empty_app.test_cli_runner().invoke(args=command)
    assert result.exit_code == 1
    assert "flask db upgrade" in result.output


def test_set_password(runner: FlaskCliRunner, auth: AuthActions, database: Database) -> None:
    """The command replaces a forgotten password with one that is typed twice."""
    database.add_user("susan")
    runner.invoke(args=["set-password", "SUSAN"], input=f"{NEW}\n{NEW}\n")
    assert auth.login(password=NEW).location == "/"


@pytest.mark.parametrize(("name", "password"), [("zoe", NEW), ("susan", "2short")])
def test_set_password_refuses(
    runner: FlaskCliRunner, database: Database, name: str, password: str
) -> None:
    """An unknown user and a short password are refused."""
    database.add_user("susan")
    assert runner.invoke(args=["set-password", name, "--password", password]).exit_code == 1
    assert database.read(select(User.password_hash)) == [QUICK_HASH]


@pytest.mark.usefixtures("susan")
def test_set_password_logs_out(runner: FlaskCliRunner, auth: AuthActions) -> None:
    """A new password logs the user out, although the browser remembers the log-in."""
    auth.login(remember=True)
    runner.invoke(args=["set-password", "susan", "--password", NEW])
    assert not is_logged_in(auth.client)


def give_other_hash(user: User) -> None:
    """Change the user's password without hashing it."""
    change = update(User).where(User.id == user.id).values(password_hash="other")
    service.count_rows(change)
    db.session.commit()


@pytest.mark.parametrize(
    ("change", "hashes"), [(give_other_hash, ["other"]), (service.delete_account, [])]
)
def test_set_password_loses_race(
    app: Flask,
    runner: FlaskCliRunner,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    change: Change,
    hashes: list[str],
) -> None:
    """The command fails if the account changes while the new password is hashed."""

    def hash_meanwhile(password: str) -> str:
        change_user(app, change)
        return quick_hash(password)

    database.add_user("susan")
    monkeypatch.setattr(passwords, "generate_password_hash", hash_meanwhile)
    assert runner.invoke(args=["set-password", "susan", "--password", NEW]).exit_code == 1
    assert database.read(select(User.password_hash)) == hashes


@pytest.mark.parametrize(
    ("app", "start"),
    [
        (config_class(), "http://127.0.0.1:8000/auth/reset?token="),
        (config_class(PORT="8001"), "http://127.0.0.1:8001/auth/reset?token="),
        (
            config_class(PORT="8001", PUBLIC_URL="https://www.example.com"),
            "https://www.example.com/auth/reset?token=",
        ),
    ],
    indirect=["app"],
)
def test_reset_link_names_site(runner: FlaskCliRunner, database: Database, start: str) -> None:
    """A reset link starts with PUBLIC_URL, or else with the port of this machine."""
    database.add_user("susan")
    assert runner.invoke(args=["reset-link", "susan"]).output.startswith(start)


@pytest.mark.parametrize("command", ["reset-link susan", "set-password susan --password secret"])
def test_unreachable_database_is_reported(command: str) -> None:
    """Where the database does not respond, a command says so in one line."""
    app = create_app(config_class(DATABASE_URL="postgresql://user:password@127.0.0.1:1/app"))
    output = app.test_cli_runner().invoke(args=command.split()).output
    assert output.startswith("Error: Cannot connect to the database: ")
    assert "Traceback" not in output


def test_reset_link_of_unknown_user(runner: FlaskCliRunner) -> None:
    """An unknown user has no reset link."""
    result = runner.invoke(args=["reset-link", "susan"])
    assert result.exit_code == 1
    assert "no user susan" in result.output
