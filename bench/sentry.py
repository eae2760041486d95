"""What Sentry costs the app: CPU of each request, patience while its host is broken, memory.

The default project runs under gunicorn with 2 workers. Variants run side by side and take turns,
so that a busy machine is busy for all of them; a difference is the median of the rounds'. Noise is
half of how far the middle rounds with Sentry off lie apart. `--quick` gives a first impression.
"""

import argparse
import multiprocessing
import operator
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from servers import Gunicorn, Project, bake, csrf_token, env_of, install, wait_for
from sinks import FAULTS, Sink, broken_host

SETTLE = 0.3  # seconds in which the workers send what waits
QUIET = {"GUNICORN_CMD_ARGS": "--access-logfile /dev/null --log-level error --max-requests 0"}
OFF = "off"
# What a project has that calls sentry_sdk.init and sets nothing else.
DEFAULTS = """
import os, sentry_sdk
sentry_sdk.init(os.environ["PLAIN_DSN"], traces_sample_rate=float(os.environ["PLAIN_RATE"]) or None)
"""


class App:
    """A running app, and susan's cookies for it."""

    def __init__(self, gunicorn: Gunicorn, password: str) -> None:
        """Log in."""
        wait_for(lambda: len(gunicorn.workers()) == 2, "both workers")
        self.url, self.workers = gunicorn.url, gunicorn.workers()
        self.cookies: dict[str, str] = {}
        with requests.Session() as browser:
            url = f"{self.url}/auth/login"
            token = csrf_token(browser.get(url))
            form = {"username": "susan", "password": password, "csrf_token": token}
            browser.post(url, data=form).raise_for_status()
            self.cookies = {c.name: c.value or "" for c in browser.cookies}

    def visit(self, page: str, count: int, clients: int = 4) -> list[float]:
        """Get a page that often, by several clients at once; the seconds that each took."""
        with ThreadPoolExecutor(clients) as pool:
            visits = pool.map(self._visit, [page] * clients, [count // clients] * clients)
            return [seconds for visit in visits for seconds in visit]

    def _visit(self, page: str, count: int) -> list[float]:
        path, cookies = {"login": ("/auth/login", {}), "timeline": ("/", self.cookies)}[page]
        took = []
        with requests.Session() as client:
            for _ in range(count):
                start = time.perf_counter()
                answer = client.get(self.url + path, cookies=cookies, allow_redirects=False)
                took.append(time.perf_counter() - start)
                if answer.status_code != 200:
                    raise RuntimeError(f"{path} answered {answer.status_code}")
                client.cookies.clear()
        return took

    def cpu(self, page: str, count: int) -> float:
        """Get a page that often; the milliseconds of the workers' CPU that each took."""
        before = self._cpu()
        self.visit(page, count, clients=1)  # so that nothing is dropped because a queue is full
        time.sleep(SETTLE)
        return (self._cpu() - before) * 1000 / count

    def _cpu(self) -> float:
        threads = [stat for pid in self.workers for stat in Path(f"/proc/{pid}/task").iterdir()]
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    def memory(self) -> list[int]:
        """Return the workers' resident MB."""
        sizes = [Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in self.workers]
        return [int(pages) * os.sysconf("SC_PAGESIZE") >> 20 for pages in sizes]


class Bench:
    """The project, installed and seeded; what a benchmark starts ends with its `servers`."""

    servers: ExitStack

    def __init__(self, folder: Path) -> None:
        """Make the project in a folder."""
        self.project = Project(bake(folder), folder / "venv")
        install(self.project.path / "requirements/prod.txt", self.project.venv)
        self.project.run("flask db upgrade")
        self.password = self.project.run("flask seed --size 1000").stdout.split()[-1]
        (folder / "sitecustomize.py").write_text(DEFAULTS, "utf-8")
        self.defaults = {"PYTHONPATH": str(folder)}

    def app(self, dsn: str = "", rate: str = "0", **more: str) -> App:
        """Start the app with its Sentry."""
        sentry = {"SENTRY_DSN": dsn, "SENTRY_TRACES_SAMPLE_RATE": rate}
        settings = env_of(self.project.path) | QUIET | sentry | more
        return App(self.servers.enter_context(self.project.gunicorn(**settings)), self.password)

    def app_with_defaults(self, dsn: str, rate: str) -> App:
        """Start the app with the defaults of Sentry's SDK instead."""
        return self.app(PLAIN_DSN=dsn, PLAIN_RATE=rate, **self.defaults)


def sink(servers: ExitStack) -> str:
    """Start a Sentry that takes everything, in a process of its own; its DSN."""
    server = Sink(keep=False)
    process = multiprocessing.get_context("fork").Process(target=server.serve_forever)
    process.start()
    servers.callback(process.terminate)
    return server.dsn


def compare_cpu(bench: Bench, rounds: int, count: int) -> None:
    """Print what a request costs, and how much of it is Sentry's."""
    dsn = sink(bench.servers)
    profiling = {"SENTRY_PROFILE_SESSION_SAMPLE_RATE": "1"}
    apps = {
        OFF: bench.app(),
        "errors only": bench.app(dsn),
        "traces 0.1": bench.app(dsn, "0.1"),
        "traces 1.0": bench.app(dsn, "1.0"),
        "traces 1.0, profiles": bench.app(dsn, "1.0", **profiling),
        "SDK defaults, errors only": bench.app_with_defaults(dsn, "0"),
        "SDK defaults, traces 1.0": bench.app_with_defaults(dsn, "1.0"),
    }
    for page in ("login", "timeline"):
        for app in apps.values():
            app.visit(page, 60)
        spent: dict[str, list[float]] = {name: [] for name in apps}
        for number in range(rounds):
            progress(f"{page}: round {number + 1} of {rounds}")
            for name, app in apps.items():
                spent[name].append(app.cpu(page, count))
        low, _, high = statistics.quantiles(spent[OFF])
        print(f"\n{'Sentry':<28}{page} page, ms of CPU; noise {(high - low) / 2:.2f}")
        for name, times in spent.items():
            more = statistics.median(map(operator.sub, times, spent[OFF]))
            print(f"{name:<28}{statistics.median(times):>8.2f} {more:>+8.2f}")
        print(flush=True)


def compare_patience(bench: Bench, rounds: int, count: int) -> None:
    """Print how long nearly everybody waits at most while Sentry's host is broken."""
    dsns = {fault: bench.servers.enter_context(broken_host(fault)) for fault in FAULTS}
    apps = {OFF: bench.app()} | {fault: bench.app(dsn, "0.1") for fault, dsn in dsns.items()}
    took: dict[str, list[float]] = {name: [] for name in apps}
    for number in range(rounds):
        progress(f"broken hosts: round {number + 1} of {rounds}")
        for name, app in apps.items():
            seconds = app.visit("timeline", count)
            took[name].append(statistics.quantiles(seconds, n=20)[-1] * 1000)
    off = statistics.median(took[OFF])
    low, _, high = statistics.quantiles(took[OFF])
    print(f"\n{'host of the DSN':<28}timeline page, p95 in ms; noise x{(high / low) ** 0.5:.2f}")
    for name, p95s in took.items():
        print(f"{name:<28}{(p95 := statistics.median(p95s)):>8.1f}   x{p95 / off:.2f}")
    print(flush=True)


def compare_memory(bench: Bench, count: int) -> None:
    """Print how workers grow."""
    hanging = bench.servers.enter_context(broken_host("hangs"))
    apps = {
        OFF: bench.app(),
        "traces 1.0": bench.app(sink(bench.servers), "1.0"),
        "traces 1.0, host hangs": bench.app(hanging, "1.0"),
    }
    print(f"\n{'Sentry':<28}MB of each worker after 1,000 requests, and {count:,} later")
    for name, app in apps.items():
        progress(f"memory: {name}")
        app.visit("timeline", 1000)
        before = app.memory()
        app.visit("timeline", count)
        print(f"{name:<28}{before} {app.memory()}", flush=True)


def progress(text: str) -> None:
    """Say on the terminal what is being done, and leave the tables clean."""
    print(f"{text} ...", file=sys.stderr, flush=True)


def main() -> None:
    """Run every benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds and requests")
    quick = parser.parse_args().quick
    rounds, count, memory = (5, 100, 2_000) if quick else (20, 100, 20_000)
    with tempfile.TemporaryDirectory() as folder:
        progress("bakes, installs and seeds the project")
        bench = Bench(Path(folder))
        for benchmark, sizes in (
            (compare_cpu, (rounds, count)),
            (compare_patience, (rounds, count)),
            (compare_memory, (memory,)),
        ):
            with ExitStack() as bench.servers:
                benchmark(bench, *sizes)


if __name__ == "__main__":
    main()
