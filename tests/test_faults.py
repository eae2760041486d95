"""Faults that the app survives: a broken Sentry, ending workers, and a lost database."""

import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.support.commands import docker
from tests.support.containers import postgres, url_of
from tests.support.sentry import FAULTS, Sink, broken_host
from tests.support.servers import Gunicorn, Project, env_of, responds, wait_for
from tests.support.visitors import TIMEOUT, crash, get, sign_up

pytestmark = pytest.mark.slow

LATENCY = 0.1  # seconds to a Sentry on another continent
SLOW = 3  # seconds that the slowest Sentry takes whose events must still arrive at the end
STOP = 10  # seconds, after which Docker kills; 8 on a machine that has nothing else to do
BURST = 15  # one worker can send this many events, each with a trace, before it ends


def crashes(gunicorn: Gunicorn, count: int) -> set[str]:
    """Make the app crash, eight times at once, and return the event ids of the pages."""
    with ThreadPoolExecutor(8) as people:
        return set(people.map(crash, [gunicorn.url] * count))


@pytest.fixture(params=FAULTS)
def unlucky(project: Project, request: pytest.FixtureRequest) -> Iterator[Gunicorn]:
    """Return the running app with a Sentry that has a fault."""
    with broken_host(request.param) as dsn, project.serving(SENTRY_DSN=dsn) as gunicorn:
        yield gunicorn


def test_broken_sentry_breaks_nothing(unlucky: Gunicorn) -> None:
    """With each fault of Sentry's host, responses are as usual and the app stops in time."""
    with ThreadPoolExecutor(8) as people:
        urls = [f"{unlucky.url}{path}" for path in ("/auth/login", "/broken_route")] * 30
        assert [page.status_code for page in people.map(get, urls)] == [200, 500] * 30
    assert unlucky.stop() < STOP


@dataclass
class Watched:
    """The running app and its recording Sentry."""

    gunicorn: Gunicorn
    sink: Sink


@pytest.fixture
def watched(project: Project, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """Return the app with a slow Sentry; a parameter sets gunicorn's options."""
    options = getattr(request, "param", "")
    with (
        Sink(delay=LATENCY) as sink,
        project.serving(GUNICORN_CMD_ARGS=options, SENTRY_DSN=sink.dsn) as gunicorn,
    ):
        yield Watched(gunicorn, sink)


def test_sigterm_loses_no_crash(watched: Watched) -> None:
    """After SIGTERM, the event of each crash is sent before the app ends."""
    seen = crashes(watched.gunicorn, BURST)
    watched.gunicorn.stop()
    assert seen - watched.sink.event_ids() == set()


def test_slow_sentry_gets_last_crash(project: Project) -> None:
    """A crash just before SIGTERM is sent while Sentry still handles the request before it."""
    with Sink(delay=SLOW) as sink:
        with project.serving(SENTRY_DSN=sink.dsn, WEB_CONCURRENCY="1") as gunicorn:
            get(f"{gunicorn.url}/auth/login")
            event_id = crash(gunicorn.url)
            gunicorn.stop()
        assert event_id in sink.event_ids()


def test_ended_worker_loses_no_crash(watched: Watched) -> None:
    """A worker that gets SIGTERM sends its events first, and another worker replaces it."""
    seen = crashes(watched.gunicorn, BURST)
    ended = watched.gunicorn.workers()[0]
    os.kill(ended, signal.SIGTERM)
    wait_for(
        lambda: ended not in (now := watched.gunicorn.workers()) and len(now) == 2, "a new one"
    )
    seen |= crashes(watched.gunicorn, 1)
    assert wait_for(lambda: seen <= watched.sink.event_ids(), "all events")


@pytest.mark.parametrize("watched", ["--max-requests 5 --max-requests-jitter 2"], indirect=True)
def test_recycled_workers_lose_no_crash(watched: Watched) -> None:
    """Workers that end after a number of requests send their events first."""
    first = watched.gunicorn.workers()
    seen = crashes(watched.gunicorn, BURST)
    wait_for(lambda: not set(first) & set(watched.gunicorn.workers()), "new workers")
    assert wait_for(lambda: seen <= watched.sink.event_ids(), "all events")


def test_each_request_is_sent_once(watched: Watched) -> None:
    """Each crash is one event, one transaction and one session, although each worker has an SDK."""
    for _ in range(5):
        crash(watched.gunicorn.url)
    watched.gunicorn.stop()
    assert [len(watched.sink.items(kind)) for kind in ("event", "transaction")] == [5, 5]
    buckets = [b for item in watched.sink.items("sessions") for b in item["aggregates"]]
    counted = [sum(bucket.get(kind, 0) for bucket in buckets) for kind in ("crashed", "exited")]
    assert counted == [5, 0]  # the check that the app had started is not counted


def test_each_worker_decides_whether_it_profiles(project: Project) -> None:
    """At rate 0.5, some workers profile and others do not. Each serves one request here."""
    with Sink() as sink:
        settings = {
            "GUNICORN_CMD_ARGS": "--max-requests 1 --max-requests-jitter 0",
            "SENTRY_DSN": sink.dsn,
            "SENTRY_PROFILE_SESSION_SAMPLE_RATE": "0.5",
        }
        with project.serving(**settings) as gunicorn:

            def differ() -> bool:
                get(f"{gunicorn.url}/auth/login")
                profiled = {"profile" in sent["contexts"] for sent in sink.items("transaction")}
                return profiled == {True, False}

            assert wait_for(differ, "a worker that profiles and one that does not")


def test_sdk_does_not_trace_itself(project: Project) -> None:
    """The requests to Sentry and Spotlight are not spans of the request that caused them."""
    with Sink() as sink, Sink(keep=False) as spotlight:
        stream = urlsplit(spotlight.dsn)._replace(path="/stream").geturl()
        with project.serving(SENTRY_DSN=sink.dsn, SENTRY_SPOTLIGHT=stream) as gunicorn:
            crash(gunicorn.url)
            gunicorn.stop()
        (transaction,) = sink.items("transaction")
    assert "http.client" not in {span["op"] for span in transaction["spans"]}


def post_chunks(url: str, body: bytes) -> int:
    """Post a body that claims to be chunked, and return the status of the response."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Transfer-Encoding": "chunked"}
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT)) as connection:
        connection.request("POST", "/auth/login", body, headers)
        return connection.getresponse().status


def test_malformed_body_is_refused(watched: Watched) -> None:
    """A body whose chunks are malformed is the client's error, and makes no event."""
    bodies = "zz|a=1|0||", "3|a=1X|0||", "3|a=1|0|no header||"
    sent = [body.replace("|", "\r\n").encode() for body in bodies]
    assert [post_chunks(watched.gunicorn.url, body) for body in sent] == [400] * 3
    watched.gunicorn.stop()
    assert watched.sink.items("event") == []


# A route as an owner may write it, whose crash quotes a row of the database.
SAME_NAME_TWICE = """
from sqlalchemy import insert
from wsgi import app
from app.auth.models import User
from app.extensions import db

@app.get("/twice")
def twice():
    row = {"username": "planted", "username_key": "planted", "email": "planted@example.com"}
    row |= {"email_key": "planted@example.com", "password_hash": "planted"}
    for _ in range(2):
        db.session.execute(insert(User).values(row))

app.test_client().get("/twice")
"""


@dataclass
class Outage:
    """The responses without a database, and afterwards."""

    pages: list[int]
    ready: int
    alive: int
    fingerprints: set[tuple[str, ...]]
    page_afterwards: int
    log_with_wrong_password: str
    events_of_same_name: str


@pytest.fixture(scope="module")
def outage(project: Project, engine: None) -> Outage:
    """Stop the database while somebody is logged in, and start it again."""
    with postgres() as database, Sink() as sink:
        settings = env_of(project.folder)
        settings |= {"DATABASE_URL": url_of(database), "SENTRY_DSN": sink.dsn}
        project.succeed("flask", "db", "upgrade", **settings)
        wrong = settings | {"DATABASE_URL": url_of(database, login="postgres:mistyped")}
        ask = "from wsgi import app; app.test_client().get('/readyz')"
        log = project.run("python", "-c", ask, **wrong).stderr
        project.succeed("python", "-c", SAME_NAME_TWICE, **settings)
        same_name = str(sink.items("event"))
        sink.bodies.clear()
        with project.serving(**settings) as gunicorn:
            site = gunicorn.url
            susan = sign_up(site)
            paths = ["/", "/explore", "/user/susan"] * 4
            docker("stop", database)
            pages = [susan.get(f"{site}{path}", timeout=TIMEOUT).status_code for path in paths]
            ready, alive = (get(f"{site}/{name}").status_code for name in ("readyz", "healthz"))
            docker("start", database)
            wait_for(lambda: responds(f"{site}/readyz"), "the database")
            afterwards = susan.get(site, timeout=TIMEOUT).status_code
            gunicorn.stop()
        fingerprints = {tuple(event["fingerprint"]) for event in sink.items("event")}
    return Outage(pages, ready, alive, fingerprints, afterwards, log, same_name)


@pytest.mark.containers
def test_lost_database_shows(outage: Outage) -> None:
    """Without a database, pages respond with an error, and the app is alive but not ready."""
    assert set(outage.pages) <= {500, 503}
    assert (outage.ready, outage.alive) == (503, 200)


@pytest.mark.containers
def test_lost_database_is_one_issue(outage: Outage) -> None:
    """The events of all pages have one fingerprint while the database is lost."""
    assert len(outage.fingerprints) == 1


@pytest.mark.containers
def test_wrong_password_is_logged(outage: Outage) -> None:
    """A log line says that the database refused the password, and does not contain it."""
    assert 'password authentication failed for user "postgres"' in outage.log_with_wrong_password
    assert "mistyped" not in outage.log_with_wrong_password


@pytest.mark.containers
def test_rows_quoted_by_postgresql_are_not_sent(outage: Outage) -> None:
    """The event of a unique constraint has its name, and nothing of the row in its message."""
    assert "UniqueViolation" in outage.events_of_same_name
    assert "planted" not in outage.events_of_same_name


@pytest.mark.containers
def test_database_comes_back(outage: Outage) -> None:
    """When the database is back, a logged-in person can read pages again."""
    assert outage.page_afterwards == 200


def test_log_has_no_control_characters(project: Project, capfd: pytest.CaptureFixture[str]) -> None:
    """A client can neither forge a line of the log nor write terminal codes into it."""
    with project.serving(**env_of(project.folder)) as gunicorn:
        for request in (
            b"GET /%0aforged%1b[31m%c2%85 HTTP/1.1\r\n",
            b"GET / HTTP/1.1\r\nX-Request-Id: \xc2\x85\r\n",
            b"GET / HTTP/1.1\r\nX-Request-Id: \x1b[31m\r\n",
            b"GET /\x1b[31m HTTP/1.1\r\n",
            b"GET /\x1b[31m HTTP/\x1b[31m\r\n",
            b"GET / HTTP/1.1\r\nX-\x1b[31m: 1\r\n",
        ):
            address = urlsplit(gunicorn.url)
            with socket.create_connection((address.hostname, address.port or 80)) as client:
                client.sendall(request + b"Host: localhost\r\nConnection: close\r\n\r\n")
                client.recv(100)
    log = "".join(capfd.readouterr())
    assert r"/\nforged\x1b[31m" in log
    assert [line for line in log.split("\n") if not line.isprintable()] == []
