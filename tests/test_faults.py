"""Faults that the app survives: a broken Sentry, ending workers, and a lost database."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pytest

from tests.support.commands import docker
from tests.support.containers import postgres, url_of
from tests.support.sentry import FAULTS, Sink, broken_host
from tests.support.servers import Gunicorn, Project, env_of, responds, wait_for
from tests.support.visitors import TIMEOUT, crash, get, sign_up

pytestmark = pytest.mark.slow

LATENCY = 0.1  # seconds to a Sentry on another continent
BURST = 40  # one worker can send this many events, each with a trace, before it is killed


def crashes(gunicorn: Gunicorn, count: int) -> set[str]:
    """Make the app crash, eight times at once, and return the event ids of the pages."""
    with ThreadPoolExecutor(8) as people:
        return set(people.map(crash, [gunicorn.url] * count))


@pytest.fixture(params=FAULTS)
def unlucky(project: Project, request: pytest.FixtureRequest) -> Iterator[Gunicorn]:
    """Return the running app with a Sentry that has a fault."""
    with broken_host(request.param) as dsn:
        settings = env_of(project.folder) | {"SENTRY_DSN": dsn}
        with project.serving(**settings) as gunicorn:
            yield gunicorn


def test_broken_sentry_breaks_nothing(unlucky: Gunicorn) -> None:
    """Responses are the same and the app stops in time, whatever the fault of Sentry's host."""
    with ThreadPoolExecutor(8) as people:
        urls = [f"{unlucky.url}{path}" for path in ("/auth/login", "/broken_route")] * 30
        assert [page.status_code for page in people.map(get, urls)] == [200, 500] * 30
    assert unlucky.stop() < TIMEOUT


@dataclass
class Watched:
    """The running app and its recording Sentry."""

    gunicorn: Gunicorn
    sink: Sink


@pytest.fixture
def watched(project: Project, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """Return the app with a slow Sentry; a parameter sets gunicorn's options."""
    options = {"GUNICORN_CMD_ARGS": getattr(request, "param", "")}
    with Sink(delay=LATENCY) as sink:
        settings = env_of(project.folder) | options | {"SENTRY_DSN": sink.dsn}
        with project.serving(**settings) as gunicorn:
            yield Watched(gunicorn, sink)


def test_sigterm_loses_no_crash(watched: Watched) -> None:
    """After SIGTERM, the event of each crash is sent before the app ends."""
    seen = crashes(watched.gunicorn, BURST)
    watched.gunicorn.stop()
    assert seen - watched.sink.event_ids() == set()


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


@pytest.mark.parametrize("watched", ["--max-requests 15 --max-requests-jitter 5"], indirect=True)
def test_recycled_workers_lose_no_crash(watched: Watched) -> None:
    """Workers that end after a number of requests send their events first."""
    first = watched.gunicorn.workers()
    seen = crashes(watched.gunicorn, BURST)
    wait_for(lambda: not set(first) & set(watched.gunicorn.workers()), "new workers")
    assert wait_for(lambda: seen <= watched.sink.event_ids(), "all events")


def test_sessions_are_sent_at_the_end(watched: Watched) -> None:
    """Each request is counted in a session that is sent before the app ends."""
    for _ in range(9):
        get(f"{watched.gunicorn.url}/auth/login")
    watched.gunicorn.stop()
    buckets = [b for item in watched.sink.items("sessions") for b in item["aggregates"]]
    assert sum(bucket["exited"] for bucket in buckets) == 9 + 1  # the check that it had started


@dataclass
class Outage:
    """The responses without a database, and afterwards."""

    pages: list[int]
    ready: int
    alive: int
    fingerprints: set[tuple[str, ...]]
    page_afterwards: int


@pytest.fixture(scope="module")
def outage(project: Project, engine: None) -> Outage:
    """Stop the database while somebody is logged in, and start it again."""
    with postgres() as database, Sink() as sink:
        settings = env_of(project.folder)
        settings |= {"DATABASE_URL": url_of(database), "SENTRY_DSN": sink.dsn}
        upgrade = partial(project.run, "flask", "db", "upgrade", **settings)
        wait_for(lambda: upgrade().returncode == 0, "PostgreSQL")
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
    return Outage(pages, ready, alive, fingerprints, afterwards)


@pytest.mark.containers
def test_lost_database_shows_error_page(outage: Outage) -> None:
    """Pages show an error page."""
    assert set(outage.pages) <= {500, 503}


@pytest.mark.containers
def test_lost_database_is_not_ready(outage: Outage) -> None:
    """The app reports that it is not ready, but alive, so that nothing restarts it."""
    assert (outage.ready, outage.alive) == (503, 200)


@pytest.mark.containers
def test_lost_database_is_one_issue(outage: Outage) -> None:
    """All events have one fingerprint, whatever page and message of the driver."""
    assert len(outage.fingerprints) == 1


@pytest.mark.containers
def test_database_comes_back(outage: Outage) -> None:
    """Without a restart of the app, a logged-in person can go on reading."""
    assert outage.page_afterwards == 200
