"""Measure what Sentry costs: CPU per request, latency while its host is broken, and memory.

The default project runs under gunicorn with 2 workers. The variants run at the same time and take
turns, so that other load on the machine affects all of them. A difference is the median of the
rounds' differences. Noise is half the interquartile range of the rounds with Sentry off. `--quick`
gives a first impression.
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

from tests.support.baking import bake
from tests.support.sentry import FAULTS, Sink, broken_host
from tests.support.servers import Gunicorn, Project, env_of, install, wait_for
from tests.support.visitors import submit

SETTLE = 0.3  # seconds in which the workers send pending envelopes
QUIET = {"GUNICORN_CMD_ARGS": "--access-logfile /dev/null --log-level error --max-requests 0"}
OFF = "off"
# A project that calls sentry_sdk.init and sets nothing else.
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
            login = submit(browser, f"{self.url}/auth/login", username="susan", password=password)
            login.raise_for_status()
            self.cookies = {c.name: c.value or "" for c in browser.cookies}

    def visit(self, page: str, count: int, clients: int = 4) -> list[float]:
        """Get a page `count` times, by several clients at once; return the seconds of each."""
        with ThreadPoolExecutor(clients) as pool:
            visits = pool.map(self._visit, [page] * clients, [count // clients] * clients)
            return [seconds for visit in visits for seconds in visit]

    def _visit(self, page: str, count: int) -> list[float]:
        path, cookies = {"login": ("/auth/login", {}), "timeline": ("/", self.cookies)}[page]
        took = []
        with requests.Session() as client:
            for _ in range(count):
                start = time.perf_counter()
                response = client.get(self.url + path, cookies=cookies, allow_redirects=False)
                took.append(time.perf_counter() - start)
                if response.status_code != 200:
                    raise RuntimeError(f"{path} returned {response.status_code}")
                client.cookies.clear()
        return took

    def cpu(self, page: str, count: int) -> float:
        """Get a page `count` times; return the milliseconds of the workers' CPU per request."""
        before = self._cpu()
        self.visit(page, count, clients=1)  # a full queue would drop envelopes
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
    """The project, installed and seeded; servers that a benchmark starts end with `servers`."""

    servers: ExitStack

    def __init__(self, folder: Path) -> None:
        """Make the project in a folder."""
        self.project = Project(bake(folder), folder / "venv")
        install(self.project.folder / "requirements/prod.txt", self.project.venv)
        self.project.succeed("flask", "db", "upgrade")
        self.password = self.project.succeed("flask", "seed", "--size", "1000").split()[-1]
        (folder / "sitecustomize.py").write_text(DEFAULTS, "utf-8")
        self.defaults = {"PYTHONPATH": str(folder)}

    def app(self, dsn: str = "", rate: str = "0", **more: str) -> App:
        """Start the app with its own Sentry settings."""
        sentry = {"SENTRY_DSN": dsn, "SENTRY_TRACES_SAMPLE_RATE": rate}
        settings = env_of(self.project.folder) | QUIET | sentry | more
        return App(self.servers.enter_context(self.project.serving(**settings)), self.password)

    def app_with_defaults(self, dsn: str, rate: str) -> App:
        """Start the app with the defaults of Sentry's SDK instead."""
        return self.app(PLAIN_DSN=dsn, PLAIN_RATE=rate, **self.defaults)


def sink(servers: ExitStack) -> str:
    """Start a Sentry that accepts everything, in its own process, and return its DSN."""
    server = Sink(keep=False)
    process = multiprocessing.get_context("fork").Process(target=server.serve_forever)
    process.start()
    servers.callback(process.terminate)
    return server.dsn


def compare_cpu(bench: Bench, rounds: int, count: int) -> None:
    """Print the CPU time of a request, and Sentry's part of it."""
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


def compare_latency(bench: Bench, rounds: int, count: int) -> None:
    """Print the 95th percentile of the latency while Sentry's host is broken."""
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
    """Print how the workers' memory grows."""
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
    """Print progress to standard error, so that standard output has the tables only."""
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
            (compare_latency, (rounds, count)),
            (compare_memory, (memory,)),
        ):
            with ExitStack() as bench.servers:
                benchmark(bench, *sizes)


if __name__ == "__main__":
    main()
