"""The commands, and how the app starts."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskCliRunner
from sentry_sdk.envelope import Envelope
from sentry_sdk.utils import Dsn
from sqlalchemy import func, select

from app import cli, create_app, seed
from app.config import TestConfig
from app.models import POST_LENGTH, Post, User, followers
from tests.conftest import DSN, ROOT, AuthActions, Blog, Sentry, config_class


@pytest.fixture
def runner(app: Flask) -> FlaskCliRunner:
    """Return a terminal."""
    return app.test_cli_runner()


@pytest.mark.parametrize(("size", "users"), [(1, 8), (60, 8), (1000, 10)])
def test_seed(runner: FlaskCliRunner, blog: Blog, size: int, users: int) -> None:
    """Seed adds as many posts as asked for, and users to write them."""
    assert runner.invoke(args=["seed", "--size", str(size)]).exit_code == 0
    assert blog.read(select(func.count(Post.id))) == [size]
    assert blog.read(select(func.count(User.id))) == [users]


def test_seed_follows(runner: FlaskCliRunner, blog: Blog) -> None:
    """The first user follows everybody else, so that their timeline is full."""
    runner.invoke(args=["seed"])
    followed = select(followers.c.followed_id).where(followers.c.follower_id == 1)
    assert sorted(blog.read(followed)) == list(range(2, 9))


def test_seed_describes_its_users(runner: FlaskCliRunner, blog: Blog) -> None:
    """Each sample user has an about text that fits."""
    runner.invoke(args=["seed"])
    assert all(0 < len(about) <= POST_LENGTH for about in blog.read(select(User.about_me)))


def test_seed_repeats_no_text(runner: FlaskCliRunner, blog: Blog) -> None:
    """No sample post is followed by the same text, neither among all posts nor on a profile."""
    runner.invoke(args=["seed", "--size", "1000"])
    all_posts = blog.read(select(Post.body).order_by(Post.id))
    profiles = [
        blog.read(select(Post.body).where(Post.user_id == user).order_by(Post.id))
        for user in blog.read(select(User.id))
    ]
    assert [
        text for posts in (all_posts, *profiles) for text, next_ in pairwise(posts) if text == next_
    ] == []


def test_seed_tells_login(runner: FlaskCliRunner, auth: AuthActions) -> None:
    """Seed says who can log in, and how."""
    output = runner.invoke(args=["seed"]).output
    login = re.search(r"Log in as (\S+) with the password (\S+)", output)
    assert login
    assert auth.login(*login.groups()).status_code == 302


def test_seed_twice(runner: FlaskCliRunner, blog: Blog) -> None:
    """Where there are users, seed adds nothing."""
    blog.user("susan")
    assert runner.invoke(args=["seed"]).exit_code == 0
    assert blog.read(select(func.count(Post.id))) == [0]


def test_seed_tells_progress(runner: FlaskCliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line after each batch shows that it goes on."""
    monkeypatch.setattr(seed, "BATCH", 1000)
    lines = runner.invoke(args=["seed", "--size", "2500"]).output.splitlines()
    assert lines[:-1] == ["1,000 of 2,500 posts", "2,000 of 2,500 posts", "2,500 of 2,500 posts"]


@pytest.mark.parametrize("command", [["seed"], ["set-password", "susan", "--password", "12345678"]])
def test_tables_are_missing(empty_app: Flask, command: list[str]) -> None:
    """On a database that was never migrated, a command says what to do first."""
    result = empty_app.test_cli_runner().invoke(args=command)
    assert result.exit_code == 1
    assert "flask db upgrade" in result.output


def test_set_password(runner: FlaskCliRunner, auth: AuthActions, blog: Blog) -> None:
    """A forgotten password is replaced."""
    blog.user("susan")
    runner.invoke(args=["set-password", "susan"], input="new horse\nnew horse\n")
    assert auth.login(password="new horse").status_code == 302


@pytest.mark.parametrize(("name", "password"), [("nobody", "new horse"), ("susan", "2short")])
def test_set_password_refuses(runner: FlaskCliRunner, blog: Blog, name: str, password: str) -> None:
    """Nobody has no password, and nobody a short one."""
    blog.user("susan")
    before = blog.read(select(User.password_hash))
    assert runner.invoke(args=["set-password", name, "--password", password]).exit_code == 1
    assert blog.read(select(User.password_hash)) == before


@pytest.mark.parametrize(
    ("dsn", "reason"), [("", "DSN is not set"), ("https://no.dsn", "DSN is not valid")]
)
def test_sentry_test_without_dsn(dsn: str, reason: str) -> None:
    """Without a valid DSN, sentry-test says so and fails."""
    app = create_app(config_class(SENTRY_DSN=dsn))
    result = app.test_cli_runner().invoke(args=["sentry-test"])
    assert result.exit_code == 1
    assert reason in result.output


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, with these settings and no others."""
    example = ROOT.joinpath(".env.example").read_text(encoding="utf-8")
    settings = re.findall(r"\b([A-Z_]+)=", example)
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    environment |= {"FLASK_SKIP_DOTENV": "1", "NO_PROXY": "*", **TestConfig.environment}
    return subprocess.run(  # noqa: S603
        [sys.executable, *command],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
    )


def test_sentry_test_is_refused(
    app: Flask, runner: FlaskCliRunner, sentry: Sentry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where Sentry refuses the event, sentry-test fails with the reason."""

    def refuse(envelope: Envelope) -> None:
        sentry.client.transport.on_dropped_event("status_403")

    app.config["SENTRY_DSN"] = DSN
    monkeypatch.setattr(sentry.client.transport, "capture_envelope", refuse)
    result = runner.invoke(args=["sentry-test"])
    assert result.exit_code == 1
    assert "does not know the key" in result.output


class Ingest(BaseHTTPRequestHandler):
    """Accepts everything, as Sentry does."""

    def do_POST(self) -> None:
        """Accept an envelope."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Log nothing."""


@pytest.fixture
def ingest() -> Iterator[int]:
    """Return the port of a server like Sentry."""
    with HTTPServer(("127.0.0.1", 0), Ingest) as server:
        Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        yield server.server_port
        server.shutdown()


def sentry_test(port: int, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `flask sentry-test` with a DSN at `port`."""
    dsn = f"http://public@127.0.0.1:{port}/42"
    return run("-m", "flask", "sentry-test", SENTRY_DSN=dsn, **variables)


def test_sentry_test_arrives(ingest: int) -> None:
    """Where Sentry takes the event, sentry-test prints its id."""
    result = sentry_test(ingest)
    assert result.returncode == 0
    assert re.search("Event +[0-9a-f]{32} has arrived", result.stdout)


def test_sentry_test_tells_wiring(ingest: int) -> None:
    """Whoever runs sentry-test reads what goes where, as what, and how much of it."""
    output = sentry_test(ingest, SENTRY_TRACES_SAMPLE_RATE="0.25", SENTRY_RELEASE="a@1").stdout
    lines = dict(re.split("  +", line, maxsplit=1) for line in output.splitlines())
    assert lines["Project"] == f"42 at 127.0.0.1:{ingest}, self-hosted"
    assert (lines["Release"], lines["Traces"]) == ("a@1", "25 % of the requests")


def test_sentry_test_finds_faults(ingest: int) -> None:
    """A setting of Sentry's that was replaced by its default fails the test."""
    result = sentry_test(ingest, SENTRY_ENVIRONMENT="a/b")
    assert result.returncode == 1
    assert "Error: SENTRY_ENVIRONMENT is not valid" in result.stderr


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("o1.ingest.sentry.io", "Sentry's cloud, region us"),
        ("o1.ingest.de.sentry.io", "Sentry's cloud, region de"),
        ("sentry.example.com", "self-hosted"),
    ],
)
def test_place_of_dsn(host: str, place: str) -> None:
    """The region is in the host of a DSN."""
    assert cli.location_of(Dsn(f"https://public@{host}/1")) == place


def test_sentry_test_without_answer() -> None:
    """Where does not respond, sentry-test fails and says so."""
    result = sentry_test(port=9)
    assert result.returncode == 1
    assert "does not respond" in result.stderr


@pytest.mark.parametrize("command", [["-c", "import wsgi"], ["-m", "app"]])
def test_invalid_settings_end_the_process(command: list[str]) -> None:
    """Whatever is invalid is reported at once, with one line for each setting."""
    result = run(*command, SECRET_KEY="short", TRUSTED_PROXIES="many", WEB_CONCURRENCY="0")
    assert result.returncode == 1
    names = [line.split()[0] for line in result.stderr.splitlines()]
    assert names == ["SECRET_KEY", "TRUSTED_PROXIES", "WEB_CONCURRENCY"]
