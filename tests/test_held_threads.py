"""The app responds while slow clients, a locked table or a database that hangs hold its threads."""

import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest

from tests.support.commands import docker
from tests.support.containers import postgres, url_of
from tests.support.servers import Project, env_of, wait_for
from tests.support.visitors import get

pytestmark = [pytest.mark.slow, pytest.mark.containers]

HEAD = (
    b"POST /auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
)


@dataclass
class Served:
    """The URL of the app, and the container of its database."""

    url: str
    database: str


@pytest.fixture(scope="module")
def served(project: Project, engine: None) -> Iterator[Served]:
    """Serve the project on PostgreSQL, with all connections of its pools open."""
    with postgres() as database:
        settings = env_of(project.folder) | {"DATABASE_URL": url_of(database)}
        project.succeed("flask", "db", "upgrade", **settings)
        with project.serving(**settings) as gunicorn:
            with readers(gunicorn.url):
                pass
            yield Served(gunicorn.url, database)


@contextmanager
def readers(url: str) -> Iterator[None]:
    """Let 16 people read posts, and wait for their pages when the block ends."""
    with ThreadPoolExecutor(16) as people:
        for _ in range(16):
            people.submit(get, f"{url}/explore")
        yield


def slowest_check(url: str) -> float:
    """Return the seconds that the slowest of several health checks takes."""
    slowest = 0.0
    for _ in range(8):
        start = time.monotonic()
        assert get(f"{url}/healthz").status_code == 200
        slowest = max(slowest, time.monotonic() - start)
        time.sleep(0.2)
    return slowest


def test_slow_clients_hold_up_nobody(served: Served) -> None:
    """Clients that send a form at one byte a second take no thread that others need."""
    address = urlsplit(served.url)
    with ExitStack() as clients:
        for _ in range(16):
            client = socket.create_connection((address.hostname, address.port or 80))
            clients.enter_context(client).sendall(HEAD)
        assert slowest_check(served.url) < 1


def test_locked_table_leaves_threads(served: Served) -> None:
    """Readers who wait for a locked table get an error, and health checks go on meanwhile."""
    lock = "BEGIN; LOCK TABLE post; SELECT pg_sleep(8)"
    psql = ["docker", "exec", served.database, "psql", "-U", "postgres", "-c", lock]
    with subprocess.Popen(psql) as locking:
        waiting = "SELECT 1 FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted"
        query = ("exec", served.database, "psql", "-U", "postgres", "-t", "-c", waiting)
        wait_for(lambda: "1" in docker(*query), "the lock")
        with readers(served.url):
            assert slowest_check(served.url) < 1
        assert locking.poll() is None  # the readers did not wait for the lock's end
        assert get(f"{served.url}/explore").status_code == 503


def test_hanging_database_leaves_threads(served: Served) -> None:
    """While the database hangs, health checks go on, and one of them reports it."""
    docker("pause", served.database)
    with ExitStack() as stack:
        stack.enter_context(readers(served.url))
        stack.callback(docker, "unpause", served.database)
        assert slowest_check(served.url) < 1
        assert get(f"{served.url}/readyz").status_code == 503
    wait_for(lambda: get(f"{served.url}/readyz").status_code == 200, "the database")
