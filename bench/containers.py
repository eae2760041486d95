"""Measure the image of the default project: its size, and the time of a rebuild and a start."""

import re
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.report import Table
from tests.support.baking import bake
from tests.support.commands import docker
from tests.support.containers import container

NAME = "microblog-bench"


def run(quick: bool) -> list[Table]:
    """Measure, and return the table."""
    rounds = 2 if quick else 5
    with tempfile.TemporaryDirectory() as folder:
        project = bake(Path(folder), project_slug=NAME)
        rebuild = timed(rounds, partial(rebuild_with_change, project))
        start = timed(rounds, run_until_healthy)
        rows = [
            ["layers above the base", f"{megabytes(project):.1f} MB", "60 MB"],
            ["rebuild after a change of one Python file", f"{rebuild:.1f} s", "3 s"],
            ["start to healthy", f"{start:.1f} s", "3 s"],
        ]
        docker("image", "prune", "--all", "--force", "--filter", f"label={NAME}")
    return [Table("The image", ["", "measured", "at most"], rows)]


def timed(rounds: int, act: Callable[[], object]) -> float:
    """Return the median of an action's seconds; the first run only warms up."""
    took = []
    for _ in range(rounds + 1):
        begin = time.monotonic()
        act()
        took.append(time.monotonic() - begin)
    return statistics.median(took[1:])


def rebuild_with_change(project: Path) -> None:
    """Change a Python file, and build the image."""
    (project / "app/added.py").write_text(f"NUMBER = {time.monotonic()}\n", "utf-8")
    docker("build", "--tag", NAME, "--label", NAME, str(project))


def run_until_healthy() -> None:
    """Start the image, and wait until Docker finds it healthy."""
    with container(NAME):
        pass


def megabytes(project: Path) -> float:
    """Return the size of the layers that the Dockerfile adds to its base image."""
    [base] = re.findall(r"^FROM (python:\S+)", (project / "Dockerfile").read_text("utf-8"), re.M)
    image, below = (int(docker("inspect", "--format", "{{.Size}}", name)) for name in (NAME, base))
    return (image - below) / 1e6
