"""Measure what Sentry costs: CPU per request, and latency while its host is broken.

The default project runs under gunicorn with 2 workers. The variants run at the same time and take
turns, so that other load on the machine affects all of them. A difference is the median of the
rounds' differences. Noise is half the interquartile range of the rounds with Sentry off.
"""

import multiprocessing
import operator
import statistics
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bench.report import Table, progress
from bench.visits import Site, log_in, seeded_project, served
from tests.support.sentry import FAULTS, Sink, broken_host

OFF = "off"
REQUESTS = 100  # in each round
# A project that calls sentry_sdk.init and sets nothing else.
DEFAULTS = """
import os, sentry_sdk
sentry_sdk.init(os.environ["PLAIN_DSN"], traces_sample_rate=float(os.environ["PLAIN_RATE"]) or None)
"""


class Bench:
    """The project, installed and seeded; servers that a benchmark starts end with `servers`."""

    servers: ExitStack

    def __init__(self, folder: Path) -> None:
        """Make the project in a folder."""
        self.project, self.password = seeded_project(folder, 1000)
        (folder / "sitecustomize.py").write_text(DEFAULTS, "utf-8")
        self.folder = folder

    def app(self, dsn: str = "", rate: str = "0", **more: str) -> Site:
        """Start the app with its own Sentry settings."""
        sentry = {"SENTRY_DSN": dsn, "SENTRY_TRACES_SAMPLE_RATE": rate}
        site = self.servers.enter_context(served(self.project, **sentry, **more))
        log_in(site, self.password)
        return site

    def app_with_defaults(self, dsn: str, rate: str) -> Site:
        """Start the app with the defaults of Sentry's SDK instead."""
        return self.app(PLAIN_DSN=dsn, PLAIN_RATE=rate, PYTHONPATH=str(self.folder))


def sink(servers: ExitStack) -> str:
    """Start a Sentry that accepts everything, in its own process, and return its DSN."""
    server = Sink(keep=False)
    process = multiprocessing.get_context("fork").Process(target=server.serve_forever)
    process.start()
    servers.callback(process.terminate)
    return server.dsn


def compare_cpu(bench: Bench, rounds: int) -> Table:
    """Return the CPU time of a request, and Sentry's part of it."""
    dsn = sink(bench.servers)
    profiling = {"SENTRY_PROFILE_SESSION_SAMPLE_RATE": "1"}
    sites = {
        OFF: bench.app(),
        "errors only": bench.app(dsn),
        "traces 0.1": bench.app(dsn, "0.1"),
        "traces 1.0": bench.app(dsn, "1.0"),
        "traces 1.0, profiles": bench.app(dsn, "1.0", **profiling),
        "plain `sentry_sdk.init`, errors only": bench.app_with_defaults(dsn, "0"),
        "plain `sentry_sdk.init`, traces 1.0": bench.app_with_defaults(dsn, "1.0"),
    }
    cells: dict[str, list[str]] = {name: [name] for name in sites}
    for path in ("/auth/login", "/"):
        views = {n: replace(s, cookies={}) if path != "/" else s for n, s in sites.items()}
        spent: dict[str, list[float]] = {name: [] for name in sites}
        for number in range(-1, rounds):  # the first round only warms up
            progress(f"{path}: round {number + 1} of {rounds}")
            for name, site in views.items():
                figure = site.cpu(path, REQUESTS)
                spent[name] += [figure] if number >= 0 else []
        low, middle, high = statistics.quantiles(spent[OFF])
        for name, figures in spent.items():
            more = statistics.median(map(operator.sub, figures, spent[OFF]))
            cells[name].append(f"{more:+.2f}")
        cells[OFF][-1] = f"{middle:.2f} in all, noise {(high - low) / 2:.2f}"
    title = "Milliseconds of the workers' CPU that Sentry adds to a request"
    return Table(title, ["Sentry", "log-in page", "timeline"], list(cells.values()))


def compare_latency(bench: Bench, rounds: int) -> Table:
    """Return the 95th percentile of the latency while Sentry's host is broken."""
    dsns = {fault: bench.servers.enter_context(broken_host(fault)) for fault in FAULTS}
    sites = {OFF: bench.app()} | {fault: bench.app(dsn, "0.1") for fault, dsn in dsns.items()}
    took: dict[str, list[float]] = {name: [] for name in sites}
    for number in range(rounds):
        progress(f"broken hosts: round {number + 1} of {rounds}")
        for name, site in sites.items():
            seconds = site.visit("/", REQUESTS)
            took[name].append(statistics.quantiles(seconds, n=20)[-1] * 1000)
    off = statistics.median(took[OFF])
    low, _, high = statistics.quantiles(took[OFF])
    title = f"95th percentile of the timeline's latency; noise x{(high / low) ** 0.5:.2f}"
    rows = [
        [name, f"{statistics.median(p95s):.1f}", f"x{statistics.median(p95s) / off:.2f}"]
        for name, p95s in took.items()
    ]
    return Table(title, ["host of the DSN", "ms", "in comparison"], rows)


def run(quick: bool) -> list[Table]:
    """Measure, and return the tables."""
    rounds = 4 if quick else 20
    tables = []
    with tempfile.TemporaryDirectory() as folder:
        progress("bakes, installs and seeds the project")
        bench = Bench(Path(folder))
        for benchmark in (compare_cpu, compare_latency):
            with ExitStack() as bench.servers:
                tables.append(benchmark(bench, rounds))
    return tables
