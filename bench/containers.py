"""The image of the default project: its size, and how fast it is rebuilt and starts."""

import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from commands import docker
from servers import bake, wait_for

NAME = "microblog-bench"
ROUNDS = 5
LOCKED_DOWN = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
SETTINGS = ("--env", "SECRET_KEY=not-a-secret-and-long-enough-to-be-valid", "--env", "DATABASE_URL=postgresql://u:p@127.0.0.1/blog")


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
    """Print a figure and what it should not exceed."""
    print(f"{what:<42}{figure:>6.1f} {unit:<2}   (at most {goal})")


def timed(act: Callable[[], object], prepare: Callable[[int], object] = lambda _: None) -> float:
    """Return the median of the seconds that something takes; the first time is for warming up."""
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
    """Start the image as compose.yaml does, and wait until Docker finds it healthy."""
    container = docker("run", "--detach", *LOCKED_DOWN, *SETTINGS, NAME)
    health = ("inspect", "--format", "{{.State.Health.Status}}", container)
    wait_for(lambda: docker(*health) == "healthy", "a healthy container")
    docker("rm", "--force", container)


def megabytes(project: Path) -> float:
    """Return the size of what the Dockerfile adds to its base."""
    [base] = re.findall(r"^FROM (python:\S+)", (project / "Dockerfile").read_text("utf-8"), re.M)
    image, below = (int(docker("inspect", "--format", "{{.Size}}", name)) for name in (NAME, base))
    return (image - below) / 1e6


if __name__ == "__main__":
    main()
