"""Visits to a running server, and what they cost it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

from tests.support.baking import bake
from tests.support.servers import Gunicorn, Project, install, wait_for
from tests.support.visitors import submit

SETTLE = 0.3  # seconds in which the workers send pending envelopes
# No access log, and no worker that is replaced because it has served enough.
QUIET = {"GUNICORN_CMD_ARGS": "--access-logfile /dev/null --log-level error --max-requests 0"}


@dataclass
class Site:
    """A running server, its workers' process ids, and the cookies of somebody who visits it."""

    url: str
    workers: list[int]
    cookies: dict[str, str] = field(default_factory=dict)

    def visit(self, path: str, count: int, clients: int = 4) -> list[float]:
        """Get a page `count` times, by several clients at once; return the seconds of each."""
        with ThreadPoolExecutor(clients) as pool:
            visits = pool.map(self._visit, [path] * clients, [count // clients] * clients)
            return [seconds for visit in visits for seconds in visit]

    def _visit(self, path: str, count: int) -> list[float]:
        took = []
        with requests.Session() as client:
            for _ in range(count):
                start = time.perf_counter()
                response = client.get(self.url + path, cookies=self.cookies, allow_redirects=False)
                took.append(time.perf_counter() - start)
                if response.status_code != 200:
                    raise RuntimeError(f"{path} returned {response.status_code}")
                client.cookies.clear()
        return took

    def cpu(self, path: str, count: int) -> float:
        """Get a page `count` times; return the milliseconds of the workers' CPU per request."""
        before = sum(self.cpu_of_workers())
        self.visit(path, count, clients=1)  # a full queue would drop envelopes
        time.sleep(SETTLE)
        return (sum(self.cpu_of_workers()) - before) * 1000 / count

    def cpu_of_workers(self) -> list[float]:
        """Return the seconds of CPU that each worker has used."""
        return [
            sum(
                int((thread / "schedstat").read_text().split()[0]) / 1e9
                for thread in Path(f"/proc/{pid}/task").iterdir()
            )
            for pid in self.workers
        ]


def site_of(gunicorn: Gunicorn, workers: int = 2) -> Site:
    """Return a site for visitors without an account, when all its workers run."""
    wait_for(lambda: len(gunicorn.workers()) == workers, "the workers")
    return Site(gunicorn.url, gunicorn.workers())


def seeded_project(folder: Path, posts: int) -> tuple[Project, str]:
    """Bake, install and seed the default project; return it and the password of susan."""
    project = Project(bake(folder), folder / "venv")
    install(project.folder / "requirements/prod.txt", project.venv)
    project.succeed("flask", "db", "upgrade")
    return project, project.succeed("flask", "seed", "--size", str(posts)).split()[-1]


@contextmanager
def served(project: Project, **settings: str) -> Iterator[Site]:
    """Serve the project without logs until the block ends."""
    with project.serving(**QUIET | settings) as gunicorn:
        yield site_of(gunicorn)


def log_in(site: Site, password: str) -> None:
    """Let the visits to the site be susan's."""
    with requests.Session() as browser:
        form = {"username": "susan", "password": password}
        submit(browser, f"{site.url}/auth/login", **form).raise_for_status()
        site.cookies = {cookie.name: cookie.value or "" for cookie in browser.cookies}
