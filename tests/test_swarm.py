"""The baked project on a real Docker Swarm, as its README says, under constant load."""

import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import requests
from pytest_cookies.plugin import Cookies

from tests.support.commands import Shell, docker
from tests.support.containers import label, make_swarm
from tests.support.load import PEOPLE, Load, Request
from tests.support.owners import edit
from tests.support.servers import env_of, wait_for
from tests.support.visitors import get

pytestmark = [pytest.mark.slow, pytest.mark.containers]

STACK = "microblog-swarm-under-test"
SITE = "http://localhost"
OURS = ("--quiet", "--filter", f"label=com.docker.stack.namespace={STACK}")
REPLICAS = 2  # the default of deploy/compose.swarm.yaml
LABELS = ("db", "proxy")
SLOW_CLIENTS = 200  # more than two replicas have threads
SLOW_SECONDS = 8  # less than the proxy's limit, which would free the threads
Failures = Callable[[str, Callable[[], object]], list[Request]]
MIGRATION = """
import sqlalchemy as sa
from alembic import op

revision = "0099"
down_revision = "{newest}"


def upgrade():
    op.add_column("post", sa.Column("language", sa.String(5)))
"""


class Stack(Shell):
    """The project on a server."""

    def build(self, version: str) -> None:
        """Build the image of the project's present state as another version."""
        pyproject = self.folder / "pyproject.toml"
        text = pyproject.read_text("utf-8")
        pyproject.write_text(re.sub(r'(?m)^version = ".*"', f'version = "{version}"', text))
        self.succeed("make", "image")

    def deploy(self, **more: str) -> subprocess.CompletedProcess[str]:
        """Deploy the version that was built last."""
        return self.run("bin/deploy", **more)

    def add_migration(self, name: str, text: str) -> Path:
        """Add a migration after the newest one."""
        newest = max(path.name for path in (self.folder / "migrations/versions").glob("0*.py"))
        migration = self.folder / "migrations/versions" / name
        migration.write_text(text.format(newest=newest[:4]), "utf-8")
        return migration

    def scale(self, replicas: int) -> None:
        """Set the number of the app's replicas, and wait for them."""
        docker("service", "scale", f"{STACK}_web={replicas}")

    def containers(self, service: str) -> list[str]:
        """Return the running and healthy containers of a service."""
        label = f"label=com.docker.swarm.service.name={STACK}_{service}"
        return docker("ps", "--quiet", "--filter", label, "--filter", "health=healthy").split()

    def wait_for_replicas(self, without: str = "") -> None:
        """Wait until the usual number of replicas serve, a given one not among them."""

        def ready() -> bool:
            found = self.containers("web")
            return len(found) == REPLICAS and without not in found

        wait_for(ready, "the replicas")

    def tasks(self) -> set[str]:
        """Return the tasks that should run."""
        running = ("--quiet", "--filter", "desired-state=running")
        return set(docker("stack", "ps", *running, STACK).split())

    def settings(self) -> str:
        """Return everything that Docker shows about the services."""
        return docker("service", "inspect", *docker("service", "ls", *OURS).split())

    def query(self, sql: str) -> list[str]:
        """Return the rows that the database answers."""
        psql = ("psql", "--username", "app", "--tuples-only", "--no-align")
        return self.succeed("bin/in-db", *psql, "--command", sql).splitlines()


@pytest.fixture(scope="module")
def server(engine: None, cookies_session: Cookies) -> Iterator[Stack]:
    """Return the default project on a swarm, before its first deployment."""
    stack = Stack(cookies_session.bake(extra_context={"project_slug": STACK}).project_path)
    edit(stack.folder / ".env", "# PUBLIC_URL=https://www.example.com", f"PUBLIC_URL={SITE}")
    make_swarm()
    label(*LABELS)
    remove_stack()  # which an interrupted run may have left, with a database of another password
    try:
        yield stack
    finally:
        remove_stack()


def remove_stack() -> None:
    """Remove the stack with its data and its images."""
    docker("stack", "rm", STACK)
    wait_for(lambda: not docker("ps", "--all", *OURS), "the stack's end")
    wait_for(lambda: not docker("network", "ls", *OURS), "its network's end")
    for volume in docker("volume", "ls", *OURS).split():
        docker("volume", "rm", volume)
    for image in docker("images", "--quiet", STACK).split():
        docker("rmi", "--force", image)


@pytest.fixture(scope="module")
def stack(server: Stack) -> Stack:
    """Return the project, deployed."""
    server.build("1.0.0")
    deployed = server.deploy()
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    return server


@pytest.fixture(scope="module")
def load(stack: Stack) -> Iterator[Load]:
    """Put constant load on the site."""
    with Load(SITE) as load:
        yield load


@pytest.fixture
def failures(load: Load, capsys: pytest.CaptureFixture[str]) -> Failures:
    """Return a function that acts under load, prints figures, and returns the failed requests."""

    def failed(what: str, act: Callable[[], object]) -> list[Request]:
        start = time.monotonic()
        seen = load.during(act)
        failed = [request for request in seen if not request.succeeded]
        took, slowest = time.monotonic() - start, max(request.seconds for request in seen)
        with capsys.disabled():
            print(
                f"\n{what}: {took:.0f} s, {len(seen)} requests, {len(failed)} failed, "
                f"slowest {slowest:.2f} s"
            )
        return failed

    return failed


def test_missing_label_is_reported(server: Stack) -> None:
    """Where no node has a label that a service needs, `bin/deploy` prints the command for it."""
    label("proxy", value="false")
    deployed = server.deploy()
    label("proxy")
    assert "docker node update --label-add proxy=true NODE" in deployed.stderr


def test_first_version_that_is_never_healthy_fails(server: Stack) -> None:
    """A first version that is never healthy fails with the end of its log."""
    edit(server.folder / "app/health.py", "/healthz", "/sick")
    server.build("0.9.0")
    deployed = server.deploy(TIMEOUT="45")
    edit(server.folder / "app/health.py", "/sick", "/healthz")
    assert "GET /healthz" in deployed.stderr
    assert f"{STACK}@0.9.0 does not serve, and there is no version before it." in deployed.stderr
    assert deployed.returncode


def test_second_deployment_changes_nothing(stack: Stack) -> None:
    """Deploying the same version again replaces no task."""
    stack.wait_for_replicas()
    tasks = stack.tasks()
    assert "Version 1.0.0 serves. Nothing has changed." in stack.deploy().stdout
    assert stack.tasks() == tasks


def test_scaling_fails_no_request(stack: Stack, failures: Failures) -> None:
    """No request fails while one replica becomes three."""
    stack.scale(1)
    assert failures("scale 1 to 3", lambda: stack.scale(3)) == []


def test_release_fails_no_request(stack: Stack, failures: Failures) -> None:
    """No request fails while a version that adds a column replaces the old one."""
    stack.add_migration("0099_language.py", MIGRATION)
    stack.build("1.1.0")
    assert failures("rolling update", stack.deploy) == []
    assert f"{STACK}:1.1.0" in stack.settings()


def test_backup_precedes_a_migration(stack: Stack) -> None:
    """A deploy that migrates made a backup before, and the deploys that do not made none."""
    [backup] = (stack.folder / "backups").iterdir()
    assert backup.name.startswith("before-migration-")


def test_release_is_taken_back(stack: Stack, failures: Failures) -> None:
    """`bin/deploy --back` fails no request, although what served before has an older schema."""
    taken: list[subprocess.CompletedProcess[str]] = []
    back = ("bin/deploy", "--back", "1.1.0")
    assert failures("taken back", lambda: taken.append(stack.run(*back))) == []
    outcome = f"{STACK}@1.1.0 crashes for users and was rolled back: {STACK}@1.0.0 serves {SITE}.\n"
    assert taken[0].stderr.endswith(outcome)
    assert f"{STACK}:1.0.0" in docker("service", "inspect", f"{STACK}_web")


def test_only_what_serves_is_taken_back(stack: Stack) -> None:
    """`bin/deploy --back` changes nothing where another version serves already."""
    refused = stack.run("bin/deploy", "--back", "1.1.0")
    assert refused.stderr == "Nothing was taken back: 1.1.0 does not serve.\n"


def test_failing_migration_changes_nothing(stack: Stack) -> None:
    """When the migration fails, `bin/deploy` fails, and the new version never serves."""
    migration = stack.add_migration("9999_broken.py", "raise SystemExit('No.')")
    stack.build("1.1.1")
    assert stack.deploy().returncode
    migration.unlink()
    assert f"{STACK}:1.1.1" not in stack.settings()


def test_broken_release_fails_no_request(stack: Stack, failures: Failures) -> None:
    """No request fails while a version that never gets healthy is rolled back."""
    edit(stack.folder / "app/health.py", "/healthz", "/sick")
    stack.build("1.2.0")
    deployed: list[subprocess.CompletedProcess[str]] = []
    assert failures("broken update", lambda: deployed.append(stack.deploy())) == []
    edit(stack.folder / "app/health.py", "/sick", "/healthz")
    assert deployed[0].returncode
    assert "Version 1.2.0 is not healthy" in deployed[0].stderr
    assert f"{STACK}@1.2.0 was rolled back: {STACK}@1.0.0 serves" in deployed[0].stderr
    assert f"{STACK}:1.2.0" not in stack.settings()


@pytest.fixture(scope="module")
def rotated(stack: Stack, load: Load) -> list[Request]:
    """Let the app log in to the database as another role; return the requests meanwhile."""
    roles = "CREATE ROLE app_2 LOGIN PASSWORD 'new' IN ROLE app; ALTER ROLE app_2 SET role app"
    url = "DATABASE_URL=postgresql://app_2:new@db/app"
    edit(stack.folder / ".env", f"PUBLIC_URL={SITE}", f"PUBLIC_URL={SITE}\n{url}")

    def rotate() -> None:
        stack.query(roles)
        stack.succeed("bin/deploy", "1.0.0")
        stack.query("ALTER ROLE app PASSWORD NULL")

    return load.during(rotate)


def test_password_is_rotated(stack: Stack, rotated: list[Request]) -> None:
    """The app logs in to the database with another role and password, without a failed request."""
    assert [request for request in rotated if not request.succeeded] == []
    assert "app_2" in stack.query("SELECT usename FROM pg_stat_activity")


def test_unused_secrets_are_removed_from_the_swarm(stack: Stack) -> None:
    """The swarm has the secrets that the services name now, or would after a roll-back."""
    secrets = docker("secret", "ls", *OURS[1:], "--format", "{{.Name}}").split()
    settings = stack.settings()
    assert [name for name in secrets if f'"{name}"' not in settings] == []


def test_killed_replica_is_replaced(stack: Stack, failures: Failures) -> None:
    """After `kill -9` of a replica, only requests that it was working on fail: one of each person.

    Caddy repeats a read on the other replica, unless a part of the response has arrived.
    """
    stack.wait_for_replicas()
    [killed, _] = stack.containers("web")

    def kill() -> None:
        docker("kill", "--signal", "KILL", killed)
        stack.wait_for_replicas(without=killed)

    assert len(failures("kill -9 of a replica", kill)) <= PEOPLE


def test_slow_clients_are_not_noticed(stack: Stack, load: Load, failures: Failures) -> None:
    """Clients that send a body at one byte a second delay nobody."""
    form = "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000"
    head = f"POST /auth/login HTTP/1.1\r\nHost: localhost\r\n{form}\r\n\r\n"

    def send_slowly() -> None:
        with ExitStack() as sockets:
            address = ("localhost", 80)
            clients = [
                sockets.enter_context(socket.create_connection(address))
                for _ in range(SLOW_CLIENTS)
            ]
            for client in clients:
                client.sendall(head.encode())
            for _ in range(SLOW_SECONDS):
                time.sleep(1)
                for client in clients:
                    client.sendall(b"a")

    assert failures("slow clients", send_slowly) == []
    assert max(request.seconds for request in load.seen[-100:]) < SLOW_SECONDS / 2


def test_killed_database_is_back_soon(stack: Stack, failures: Failures) -> None:
    """After `kill -9` of the database, Swarm waits a second to restart it, not its usual five."""
    [killed] = stack.containers("db")

    def kill() -> None:
        docker("kill", "--signal", "KILL", killed)
        wait_for(lambda: stack.containers("db") not in ([], [killed]), "the database")

    failures("kill -9 of the database", kill)
    policy = "{{.Spec.TaskTemplate.RestartPolicy.Delay}}"
    assert docker("service", "inspect", "--format", policy, f"{STACK}_db") == "1s"


def test_acknowledged_posts_are_kept(stack: Stack, load: Load) -> None:
    """The database has each post that the app has acknowledged."""
    acknowledged = load.acknowledged()
    assert len(acknowledged) > 100
    assert acknowledged <= set(stack.query("SELECT body FROM post"))


def test_access_log_names_the_client(stack: Stack) -> None:
    """The client is the one that Caddy sees, not Caddy, and not what a header says."""
    [gateway] = docker(
        "network", "inspect", "docker_gwbridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    ).split()
    requests.get(f"{SITE}/explore", headers={"X-Forwarded-For": "192.0.2.7"}, timeout=10)
    log = "".join(docker("logs", "--tail", "200", name) for name in stack.containers("web"))
    assert re.findall(r'^(\S+) "GET /explore', log, re.M) == [gateway]


def test_settings_show_no_secret(stack: Stack) -> None:
    """`docker service inspect` shows no secret of `.env`, because they are in files."""
    env = env_of(stack.folder)
    settings = stack.settings()
    assert [name for name in ("SECRET_KEY", "POSTGRES_PASSWORD") if env[name] in settings] == []


def test_broken_route_is_off(stack: Stack) -> None:
    """On a server, /broken_route does not exist."""
    assert get(f"{SITE}/broken_route").status_code == 404


def test_status_shows_what_serves(stack: Stack) -> None:
    """`bin/status` lists the services, without a mark where all replicas serve."""
    stack.wait_for_replicas()
    assert f"  {STACK}_web=2/2\n" in stack.run("bin/status").stdout


def build_next_major(stack: Stack, more: str = "") -> None:
    """Build an image that stands in for the next major version of PostgreSQL."""
    next_major = f"FROM postgres:18\nENV PGDATA=/var/lib/postgresql/19/docker\n{more}\n"
    (stack.folder / "next.Dockerfile").write_text(next_major)
    stack.succeed("docker", "build", "--tag", "postgres:19", "--file", "next.Dockerfile", "bin")


def test_postgresql_that_cannot_be_moved_goes_on(stack: Stack, failures: Failures) -> None:
    """If the data cannot be copied to a newer major, the old one serves, also to who writes."""
    build_next_major(stack, "RUN ln -sf /bin/false $(command -v pg_restore)")
    moved = stack.run("bin/deploy", "1.0.0", POSTGRES_MAJOR="19")
    assert moved.stderr.endswith(f"was not deployed: {STACK}@1.0.0 serves {SITE}.\n")
    assert failures("after a move that failed", lambda: time.sleep(2)) == []
    assert "/18/docker" in stack.query("SHOW data_directory")[0]


@pytest.mark.rehearsal
@pytest.mark.usefixtures("rotated")
def test_newer_postgresql_takes_over(stack: Stack, load: Load) -> None:
    """`POSTGRES_MAJOR=19 bin/deploy` moves the rows, and an older major is refused from then on."""
    build_next_major(stack)
    moved = stack.succeed("bin/deploy", "1.0.0", POSTGRES_MAJOR="19")
    assert "Version 1.0.0 serves." in moved
    assert "/19/docker" in stack.query("SHOW data_directory")[0]
    assert requests.get(f"{SITE}/readyz", timeout=10).json()["status"] == "ok"  # as app_2
    assert load.acknowledged() <= set(stack.query("SELECT body FROM post"))
    revoked = "SELECT rolpassword IS NULL FROM pg_authid WHERE rolname = 'app'"
    assert stack.query(revoked) == ["t"]
    assert "PostgreSQL 18 cannot read the data of 19" in stack.run("bin/deploy", "1.0.0").stderr
    docker("rmi", "--force", "postgres:19")


def test_backup_restores_the_stack(
    stack: Stack, load: Load, failures: Failures, tmp_path: Path
) -> None:
    """A backup brings deleted posts back, and no request fails meanwhile."""
    backup = tmp_path / "stack.dump"
    before = load.acknowledged()
    stack.succeed("make", "backup", f"FILE={backup}")
    stack.query("DELETE FROM post")
    restore = ("make", "restore", f"FILE={backup}", "FORCE=1")
    assert failures("restore", lambda: stack.succeed(*restore)) == []
    assert before <= set(stack.query("SELECT body FROM post"))


def test_restore_removes_newer_tables(stack: Stack, tmp_path: Path) -> None:
    """A table that the backup does not have is gone, and an extension stays."""
    backup = tmp_path / "stack.dump"
    stack.query("CREATE EXTENSION pg_trgm")
    stack.succeed("make", "backup", f"FILE={backup}")
    stack.query("CREATE TABLE newer ()")
    stack.succeed("make", "restore", f"FILE={backup}", "FORCE=1")
    assert stack.query("SELECT to_regclass('newer'), to_regtype('gtrgm')") == ["|gtrgm"]
