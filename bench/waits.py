"""Measure how long people wait for the commands that they run most often."""

import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path

from bench.report import Table, progress
from tests.support.baking import bake
from tests.support.commands import HERE, Shell
from tests.support.rehearsal import Rehearsal, rehearsal
from tests.support.servers import UV, free_port, responds, wait_for
from tests.support.template import TEMPLATE

COLUMNS = ["who waits", "for", "seconds", "of CPU"]
PYTHON = f"PYTHON={sys.executable}"


def run(quick: bool) -> list[Table]:
    """Measure, and return the table. Caches of pip, uv and pre-commit stay as they are."""
    with tempfile.TemporaryDirectory() as folder:
        rows = owner(Path(folder))
        if not quick:
            rows += developer(Path(folder) / "template") + on_call()
    return [Table("How long people wait", COLUMNS, rows)]


def owner(folder: Path) -> list[list[str]]:
    """Return the rows of somebody who has baked a project."""
    with_uv, with_pip = (Shell(bake(folder / name)) for name in ("uv", "pip"))
    seed = ("make", "seed", PYTHON)
    return [
        wait("an owner", "make seed, with uv", lambda: with_uv.succeed(*seed, f"UV={UV}")),
        wait("an owner", "make seed, with pip", lambda: with_pip.succeed(*seed, "UV=")),
        wait(
            "an owner", "make .venv/dev", lambda: with_uv.succeed("make", ".venv/dev", f"UV={UV}")
        ),
        wait("an owner", "make test", lambda: with_uv.succeed("make", "test")),
    ]


def developer(clone: Path) -> list[list[str]]:
    """Return the rows of somebody who has cloned the template."""
    HERE.succeed("git", "clone", "--quiet", TEMPLATE, clone)
    fast = ("make", "test-fast")
    return [
        wait("a newcomer", "make demo, to the first page", lambda: demo(clone)),
        wait("a developer of the template", "make test-fast", lambda: Shell(clone).succeed(*fast)),
    ]


def on_call() -> list[list[str]]:
    """Return the rows of somebody who deploys to a host, which a container stands in for."""
    ships = {"to a bare host": "1.0.0", "of an update": "1.1.0", "of nothing new": "1.1.0"}
    with redirect_stdout(sys.stderr), rehearsal() as play:
        return [ship(play, f"make ship {what}", version) for what, version in ships.items()]


def ship(play: Rehearsal, what: str, version: str) -> list[str]:
    """Return the row of a deploy; the release that it deploys is published before."""
    settings = play.prepare(version)
    command = ("make", "ship", f"VERSION={version}")
    return wait("someone on call", what, lambda: play.project.succeed(*command, **settings))


def demo(clone: Path) -> None:
    """Run make demo until the first page comes."""
    port = free_port()
    command = ("make", "demo", PYTHON, f"PORT={port}")
    no = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=clone, env=HERE.variables, stdout=no, stderr=no, start_new_session=True
    ) as process:
        wait_for(lambda: responds(f"http://127.0.0.1:{port}/"), "the first page")
        os.killpg(process.pid, signal.SIGTERM)


def wait(who: str, what: str, act: Callable[[], object]) -> list[str]:
    """Return the row of an action: the seconds that it takes, and those of CPU."""
    progress(f"{who}: {what}")
    start, cpu = time.monotonic(), cpu_of_children()
    act()
    return [who, what, f"{time.monotonic() - start:.1f}", f"{cpu_of_children() - cpu:.1f}"]


def cpu_of_children() -> float:
    """Return the seconds of CPU that all programs used that have been started and have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
