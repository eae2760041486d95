"""What the app shrugs off: a Sentry that is broken, an end of its own, a database that is gone."""

import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import requests
from commands import docker
from sentry_relay.processing import StoreNormalizer, parse_release
from servers import Gunicorn, Project, answers, env_of, free_port, sign_up, wait_for
from sinks import FAULTS, Sink, broken_host

pytestmark = pytest.mark.slow

GRACE = 20  # seconds, `graceful_timeout` of gunicorn.conf.py
LATENCY = 0.1  # seconds that an event takes to a Sentry at the other end of a continent
BURST = 40  # even if one worker gets all, and a trace with each, it can send them in time


def get(url: str) -> requests.Response:
    """Return an answer, over a connection of its own."""
    return requests.get(url, timeout=GRACE)


def crashes(gunicorn: Gunicorn, count: int) -> set[str]:
    """Let the app crash, eight times at once; the event ids on the pages."""
    with ThreadPoolExecutor(8) as people:
        pages = people.map(get, [f"{gunicorn.url}/broken_route"] * count)
    return {re.findall(r'class="event-id">(\w+)<', page.text)[0] for page in pages}


def ids(sink: Sink) -> set[str]:
    """Return the ids of the events that arrived."""
    return {event["event_id"] for event in sink.items("event")}


@pytest.fixture(params=FAULTS)
def unlucky(project: Project, request: pytest.FixtureRequest) -> Iterator[Gunicorn]:
    """Return the running app, whose Sentry has a fault."""
    with broken_host(request.param) as dsn:
        settings = env_of(project.path) | {"SENTRY_DSN": dsn}
        with project.gunicorn(**settings) as gunicorn:
            yield gunicorn


def test_broken_sentry_breaks_nothing(unlucky: Gunicorn) -> None:
    """Requests are answered as always, and the app ends in time, whatever Sentry's host does."""
    with ThreadPoolExecutor(8) as people:
        urls = [f"{unlucky.url}{path}" for path in ("/auth/login", "/broken_route")] * 30
        assert [page.status_code for page in people.map(get, urls)] == [200, 500] * 30
    assert unlucky.stop() < GRACE


@dataclass
class Watched:
    """The running app, and what its Sentry has got."""

    gunicorn: Gunicorn
    sink: Sink


@pytest.fixture
def watched(project: Project, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """Return the app with a Sentry that is some way off; a parameter is gunicorn's options."""
    options = {"GUNICORN_CMD_ARGS": getattr(request, "param", "")}
    with Sink(delay=LATENCY) as sink:
        settings = env_of(project.path) | options | {"SENTRY_DSN": sink.dsn}
        with project.gunicorn(**settings) as gunicorn:
            yield Watched(gunicorn, sink)


def test_sigterm_loses_no_crash(watched: Watched) -> None:
    """The event of each crash that somebody saw is sent before the app ends."""
    seen = crashes(watched.gunicorn, BURST)
    watched.gunicorn.stop()
    assert seen - ids(watched.sink) == set()


def test_one_worker_less_loses_no_crash(watched: Watched) -> None:
    """A worker that is asked to end sends its events first, and another one takes over."""
    seen = crashes(watched.gunicorn, BURST)
    ended = watched.gunicorn.workers()[0]
    os.kill(ended, signal.SIGTERM)
    wait_for(
        lambda: ended not in (now := watched.gunicorn.workers()) and len(now) == 2, "a new one"
    )
    seen |= crashes(watched.gunicorn, 1)
    assert wait_for(lambda: seen <= ids(watched.sink), "all events")


@pytest.mark.parametrize("watched", ["--max-requests 15 --max-requests-jitter 5"], indirect=True)
def test_recycled_workers_lose_no_crash(watched: Watched) -> None:
    """Workers that end after some requests send their events first."""
    first = watched.gunicorn.workers()
    seen = crashes(watched.gunicorn, BURST)
    wait_for(lambda: not set(first) & set(watched.gunicorn.workers()), "new workers")
    assert wait_for(lambda: seen <= ids(watched.sink), "all events")


def test_sessions_are_sent_at_the_end(watched: Watched) -> None:
    """Release health knows of each request, however young the worker that served it."""
    for _ in range(9):
        get(f"{watched.gunicorn.url}/auth/login")
    watched.gunicorn.stop()
    buckets = [b for item in watched.sink.items("sessions") for b in item["aggregates"]]
    assert sum(bucket["exited"] for bucket in buckets) == 9 + 1  # the check that it had started


@pytest.fixture
def sent(watched: Watched) -> list[dict[str, Any]]:
    """Return an event and two transactions."""
    for path in ("/broken_route", "/auth/login"):
        get(f"{watched.gunicorn.url}{path}")
    watched.gunicorn.stop()
    return watched.sink.items("event") + watched.sink.items("transaction")


def test_sentry_finds_nothing_amiss(sent: list[dict[str, Any]]) -> None:
    """Sentry's own ingest has no remark on any value that the app sends."""
    normalizer = StoreNormalizer(project_id=1, remove_other=True)
    remarks = [normalizer.normalize_event(event).get("errors") for event in sent]
    assert remarks == [None, None, None]


def test_sentry_can_order_releases(sent: list[dict[str, Any]]) -> None:
    """The release of all that is sent has a package and a version."""
    (release,) = {event["release"] for event in sent}
    assert parse_release(release)["version_parsed"]["major"] == 1


@dataclass
class Outage:
    """What happened while there was no database, and afterwards."""

    pages: list[int]
    ready: int
    alive: int
    fingerprints: set[tuple[str, ...]]
    page_afterwards: int


@pytest.fixture(scope="module")
def postgres(engine: None) -> Iterator[str]:
    """Return the id of a container with PostgreSQL."""
    port = f"127.0.0.1:{free_port()}:5432"
    trust = "POSTGRES_HOST_AUTH_METHOD=trust"
    container = docker("run", "--detach", "--publish", port, "--env", trust, "postgres:18")
    yield container
    docker("rm", "--force", "--volumes", container)


@pytest.fixture(scope="module")
def outage(project: Project, postgres: str) -> Outage:
    """Take the database from under somebody who is logged in, and give it back."""
    address = docker("port", postgres, "5432")
    with Sink() as sink:
        url = f"postgresql://postgres@{address}/postgres"
        settings = env_of(project.path) | {"DATABASE_URL": url, "SENTRY_DSN": sink.dsn}
        upgrade = partial(project.run, "flask db upgrade", **settings)
        wait_for(lambda: upgrade().returncode == 0, "PostgreSQL")
        with project.gunicorn(**settings) as gunicorn:
            site = gunicorn.url
            susan = sign_up(site)
            paths = ["/", "/explore", "/user/susan"] * 4
            docker("stop", postgres)
            pages = [susan.get(f"{site}{path}", timeout=GRACE).status_code for path in paths]
            ready, alive = (get(f"{site}/{name}").status_code for name in ("readyz", "healthz"))
            docker("start", postgres)
            wait_for(lambda: answers(f"{site}/readyz"), "the database")
            afterwards = susan.get(site, timeout=GRACE).status_code
            gunicorn.stop()
        fingerprints = {tuple(event["fingerprint"]) for event in sink.items("event")}
    return Outage(pages, ready, alive, fingerprints, afterwards)


@pytest.mark.containers
def test_lost_database_shows_error_page(outage: Outage) -> None:
    """Pages say that something broke."""
    assert set(outage.pages) <= {500, 503}


@pytest.mark.containers
def test_lost_database_is_not_ready(outage: Outage) -> None:
    """A proxy learns to send nobody here; nothing kills a process that is alive."""
    assert (outage.ready, outage.alive) == (503, 200)


@pytest.mark.containers
def test_lost_database_is_one_issue(outage: Outage) -> None:
    """However many pages broke, and however the driver puts it, Sentry groups the events."""
    assert len(outage.fingerprints) == 1


@pytest.mark.containers
def test_database_comes_back(outage: Outage) -> None:
    """Whoever was logged in reads on, without a restart of the app."""
    assert outage.page_afterwards == 200
