"""Containers of the project's image."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.commands import HERE, docker
from tests.support.servers import free_port, wait_for

LOCKED_DOWN = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
UNUSED_KEY = "unused-" * 6
UNUSED_SETTINGS = (
    "--env",
    f"SECRET_KEY={UNUSED_KEY}",
    "--env",
    "DATABASE_URL=postgresql://u:p@127.0.0.1/blog",
)


@contextmanager
def container(image: str, *options: str) -> Iterator[str]:
    """Run an image with few privileges; the block begins once Docker finds it healthy."""
    name = docker("run", "--detach", *LOCKED_DOWN, *UNUSED_SETTINGS, *options, image)
    try:
        health = ("inspect", "--format", "{{.State.Health.Status}}", name)
        wait_for(lambda: docker(*health) == "healthy", "a healthy container")
        yield name
    finally:
        docker("rm", "--force", name)


@contextmanager
def postgres() -> Iterator[str]:
    """Run PostgreSQL until the block ends; once it is ready, yield the name of its container."""
    port = f"127.0.0.1:{free_port()}:5432"
    login = "POSTGRES_PASSWORD=postgres"
    name = docker("run", "--detach", "--publish", port, "--env", login, "postgres:18")
    try:
        ready = ("docker", "exec", name, "pg_isready", "--host", "127.0.0.1")
        wait_for(lambda: HERE.run(*ready).returncode == 0, "PostgreSQL")
        yield name
    finally:
        docker("rm", "--force", "--volumes", name)


def url_of(postgres: str, login: str = "postgres:postgres") -> str:
    """Return the URL of the database in a container."""
    return f"postgresql://{login}@{docker('port', postgres, '5432')}/postgres"


def label(*names: str, value: str = "true") -> None:
    """Label this node of a swarm."""
    node = docker("info", "--format", "{{.Swarm.NodeID}}")
    for name in names:
        docker("node", "update", "--label-add", f"{name}={value}", node)


def make_swarm() -> None:
    """Make this engine a swarm unless it is in one. `leave_swarm` undoes it."""
    if docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive":
        here = "127.0.0.1"
        docker("swarm", "init", "--advertise-addr", here, "--listen-addr", f"{here}:2377")
        label("made-by", value=os.environ["TEST_RUN"])


def leave_swarm() -> None:
    """Leave the swarm that `make_swarm` made in this run of the tests, if any.

    Containers that start meanwhile cannot resolve the names of others, so no test may run.
    """
    run = '{{index .Spec.Labels "made-by"}}'
    inspect = ("docker", "node", "inspect", "self", "--format", run)
    if shutil.which("docker") and HERE.run(*inspect).stdout.strip() == os.environ["TEST_RUN"]:
        docker("swarm", "leave", "--force")
