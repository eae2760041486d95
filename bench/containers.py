"""Measure the image of the default project: its size, and the time of a rebuild and a start."""

import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.baking import bake
from tests.support.commands import docker
from tests.support.containers import container

NAME = "microblog-bench"
ROUNDS = 5


def main() -> None:
    """Print a line for each figure."""
    with tempfile.TemporaryDirectory() as folder:
        project = bake(Path(folder), project_slug=NAME)
        rebuild = timed(lambda: build(project), lambda number: change(project, number))
        start = timed(run_until_healthy)
        line("layers above the base", megabytes(project), "MB", 60)
        line("rebuild after a change of one Python file", rebuild, "s", 3)
        line("start to healthy", start, "s", 3)
        docker("image", "prune", "--all", "--force", "--filter", f"label={NAME}")


def line(what: str, figure: float, unit: str, goal: int) -> None:
    """Print a figure and its upper limit."""
    print(f"{what:<42}{figure:>6.1f} {unit:<2}   (at most {goal})")


def timed(act: Callable[[], object], prepare: Callable[[int], object] = lambda _: None) -> float:
    """Return the median of an action's seconds; the first run only warms up."""
    took = []
    for number in range(ROUNDS + 1):
        prepare(number)
        begin = time.monotonic()
        act()
        took.append(time.monotonic() - begin)
    return statistics.median(took[1:])


def build(project: Path) -> None:
    """Build the image."""
    docker("build", "--tag", NAME, "--label", NAME, str(project))


def change(project: Path, number: int) -> None:
    """Change a Python file."""
    (project / "app/added.py").write_text(f"NUMBER = {number}\n", "utf-8")


def run_until_healthy() -> None:
    """Start the image, and wait until Docker finds it healthy."""
    with container(NAME):
        pass


def megabytes(project: Path) -> float:
    """Return the size of the layers that the Dockerfile adds to its base image."""
    [base] = re.findall(r"^FROM (python:\S+)", (project / "Dockerfile").read_text("utf-8"), re.M)
    image, below = (int(docker("inspect", "--format", "{{.Size}}", name)) for name in (NAME, base))
    return (image - below) / 1e6


if __name__ == "__main__":
    main()
