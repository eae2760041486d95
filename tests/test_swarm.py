"""The baked project on a real Docker Swarm, under constant load from inside its network."""

import json
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support import load as load_script
from tests.support.commands import Shell, docker
from tests.support.servers import env_of, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.containers]

STACK = "microblog-swarm-under-test"
OURS = ("--quiet", "--filter", f"label=com.docker.stack.namespace={STACK}")
LOAD = Path(load_script.__file__).read_text("utf-8")
REPLICAS = 3
Failures = Callable[[str, Callable[[], object]], "list[Request]"]
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade():
    op.add_column("post", sa.Column("language", sa.String(5)))
"""


class Request(NamedTuple):
    """One request of the load."""

    post: str
    good: bool
    outcome: str
    seconds: float


@dataclass
class Load:
    """The requests that load.py reports."""

    seen: list[Request] = field(default_factory=list)

    def listen(self, lines: Iterator[str]) -> None:
        """Record each request when it has ended."""
        for line in lines:
            self.seen.append(Request(*json.loads(line)))

    def during(self, act: Callable[[], object]) -> list[Request]:
        """Return the requests that end during an action, or within a second before or after it."""
        start = len(self.seen)
        time.sleep(1)
        act()
        time.sleep(1)
        return self.seen[start:]


class Stack(Shell):
    """The project, as `make deploy` runs it."""

    def edit(self, name: str, old: str, new: str) -> None:
        """Change a file of the project."""
        text = (self.folder / name).read_text("utf-8")
        assert old in text
        (self.folder / name).write_text(text.replace(old, new), "utf-8")

    def release(self, version: str) -> subprocess.CompletedProcess[str]:
        """Build and deploy the project's present state as another version."""
        self.edit("pyproject.toml", f'version = "{self.version()}"', f'version = "{version}"')
        self.succeed("make", "image")
        return self.run("make", "deploy")

    def version(self) -> str:
        """Return the version of pyproject.toml."""
        text = (self.folder / "pyproject.toml").read_text("utf-8")
        return str(re.findall(r'^version = "(.*)"', text, re.M)[0])

    def scale(self, replicas: int) -> None:
        """Set the number of the app's replicas, and wait for them."""
        docker("service", "scale", f"{STACK}_web={replicas}")

    def containers(self, service: str) -> list[str]:
        """Return the running and healthy containers of a service."""
        label = f"label=com.docker.swarm.service.name={STACK}_{service}"
        return docker("ps", "--quiet", "--filter", label, "--filter", "health=healthy").split()

    def settings(self) -> str:
        """Return everything that Docker shows about the services."""
        return docker("service", "inspect", *docker("service", "ls", *OURS).split())

    def posts(self) -> set[str]:
        """Return the posts in the database."""
        [database] = self.containers("db")
        query = ("psql", "--username", "microblog", "--tuples-only", "--no-align")
        return set(docker("exec", database, *query, "--command", "SELECT body FROM post").split())


@contextmanager
def swarm() -> Iterator[None]:
    """Make this engine a swarm unless it is in one, and label it as the database's node."""
    alone = docker("info", "--format", "{{.Swarm.LocalNodeState}}") == "inactive"
    if alone:
        here = "127.0.0.1"
        docker("swarm", "init", "--advertise-addr", here, "--listen-addr", f"{here}:2377")
    node = docker("info", "--format", "{{.Swarm.NodeID}}")
    labelled = "db:true" in docker("node", "inspect", "--format", "{{.Spec.Labels}}", node)
    docker("node", "update", "--label-add", "db=true", node)
    try:
        yield
    finally:
        if not labelled:
            docker("node", "update", "--label-rm", "db", node)
        if alone:
            docker("swarm", "leave", "--force")


def adapt(project: Path) -> None:
    """Use neither virtual IPs nor published ports: they need IPVS, which some kernels lack."""
    compose = yaml.safe_load((project / "compose.yaml").read_text("utf-8"))
    del compose["services"]["web"]["ports"]
    for service in compose["services"].values():
        service["deploy"]["endpoint_mode"] = "dnsrr"
    (project / "compose.yaml").write_text(yaml.safe_dump(compose), "utf-8")


@pytest.fixture(scope="module")
def stack(engine: None, cookies_session: Cookies) -> Iterator[Stack]:
    """Return the default project, deployed to a swarm."""
    stack = Stack(cookies_session.bake(extra_context={"project_slug": STACK}).project_path)
    adapt(stack.folder)
    stack.edit("compose.swarm.yaml", "REPLICAS:-2", f"REPLICAS:-{REPLICAS}")
    with swarm():
        try:
            deployed = stack.release("1.0.0")
            assert deployed.returncode == 0, deployed.stdout + deployed.stderr
            yield stack
        finally:
            docker("stack", "rm", STACK)
            wait_for(lambda: not docker("ps", "--all", *OURS), "the stack's end")
            wait_for(lambda: not docker("network", "ls", *OURS), "its network's end")
            docker("volume", "rm", *docker("volume", "ls", *OURS).split())
            docker("rmi", "--force", *docker("images", "--quiet", STACK).split())


@pytest.fixture(scope="module")
def load(stack: Stack) -> Iterator[Load]:
    """Put constant load on the app, and return what it reports."""
    load, name = Load(), f"{STACK}-load"
    where = ["--name", name, "--network", f"{STACK}_default", f"{STACK}:1.0.0"]
    command = ["docker", "run", "--rm", *where, "python", "-c", LOAD]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        threading.Thread(target=load.listen, args=[process.stdout]).start()
        wait_for(lambda: load.seen, "the first request")
        yield load
        docker("kill", name)


@pytest.fixture
def failures(load: Load, capsys: pytest.CaptureFixture[str]) -> Failures:
    """Return a function that acts under load, prints figures, and returns the failed requests."""

    def failed(what: str, act: Callable[[], object]) -> list[Request]:
        start = time.monotonic()
        seen = load.during(act)
        failed = [request for request in seen if not request.good]
        took, slowest = time.monotonic() - start, max(request.seconds for request in seen)
        with capsys.disabled():
            print(
                f"\n{what}: {took:.0f} s, {len(seen)} requests, {len(failed)} failed, "
                f"slowest {slowest:.2f} s"
            )
        return failed

    return failed


def test_scaling_fails_no_request(stack: Stack, failures: Failures) -> None:
    """No request fails while one replica becomes three."""
    stack.scale(1)
    assert failures("scale 1 to 3", lambda: stack.scale(REPLICAS)) == []


def test_release_fails_no_request(stack: Stack, failures: Failures) -> None:
    """No request fails while a version that adds a column replaces the old one."""
    (stack.folder / "migrations/versions/0002_language.py").write_text(MIGRATION, "utf-8")
    assert failures("rolling update", lambda: stack.release("1.1.0")) == []
    assert f"{STACK}:1.1.0" in stack.settings()


def test_failing_migration_changes_nothing(stack: Stack) -> None:
    """When the migration fails, `make deploy` fails, and the new version never serves."""
    migration = stack.folder / "migrations/versions/0003_broken.py"
    migration.write_text("raise SystemExit('No.')", "utf-8")
    assert stack.release("1.1.1").returncode
    migration.unlink()
    assert f"{STACK}:1.1.1" not in stack.settings()


def test_broken_release_fails_no_request(stack: Stack, failures: Failures) -> None:
    """A version that never gets healthy is rolled back, and `make deploy` reports that."""
    stack.edit("app/health.py", "/healthz", "/sick")
    deployed: list[subprocess.CompletedProcess[str]] = []
    act = lambda: deployed.append(stack.release("1.2.0"))  # noqa: E731
    assert failures("broken update", act) == []
    assert deployed[0].returncode
    assert "failed, the one before serves" in deployed[0].stderr
    assert f"{STACK}:1.2.0" not in stack.settings()


def test_killed_replica_is_replaced(stack: Stack, load: Load, failures: Failures) -> None:
    """After `kill -9` of a replica, few requests fail, and Swarm replaces the replica."""

    def kill() -> None:
        docker("kill", "--signal", "KILL", stack.containers("web")[0])
        wait_for(lambda: len(stack.containers("web")) < REPLICAS, "its end")
        wait_for(lambda: len(stack.containers("web")) == REPLICAS, "another")

    assert len(failures("kill -9 of one in three", kill)) < 20
    assert failures("afterwards", lambda: None) == []


def test_acknowledged_posts_are_kept(stack: Stack, load: Load) -> None:
    """The database has each post that the app has acknowledged."""
    taken = {request.post for request in load.seen if request.post and request.good}
    assert len(taken) > 100
    assert taken <= stack.posts()


def test_settings_show_no_secret(stack: Stack) -> None:
    """`docker service inspect` shows no secret of `.env`, because they are in files."""
    env = env_of(stack.folder)
    settings = stack.settings()
    assert [name for name in ("SECRET_KEY", "POSTGRES_PASSWORD") if env[name] in settings] == []
