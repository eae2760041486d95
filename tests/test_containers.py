"""The baked project in containers: its image, Compose on a laptop, and its proxy."""

import gzip
import re
import socket
import ssl
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import yaml
from playwright.sync_api import Browser
from pytest_cookies.plugin import Cookies

from tests.support.commands import HERE, Shell, docker
from tests.support.containers import container
from tests.support.servers import UV, env_of, free_port, responds, wait_for
from tests.support.spotlight import see_error, see_trace
from tests.support.template import ANSWERS, DSN
from tests.support.visitors import crash, get, sign_up, submit

pytestmark = [pytest.mark.slow, pytest.mark.containers, pytest.mark.usefixtures("engine")]

STACK_FILES = ("-c", "compose.yaml", "-c", "deploy/compose.swarm.yaml")
STACK_CONFIG = ["docker", "stack", "config", *STACK_FILES]


class Composed(Shell):
    """A fresh bake, run by docker compose on free ports."""

    def __init__(self, project: Path) -> None:
        """Choose the ports."""
        web, spotlight = free_port(), free_port()
        super().__init__(project)
        self.variables |= {"PORT": str(web), "SPOTLIGHT_PORT": str(spotlight)}
        self.site, self.spotlight = (f"http://127.0.0.1:{port}" for port in (web, spotlight))

    def compose(self, *arguments: str) -> str:
        """Run a docker compose command that must succeed, and return what it prints."""
        return self.succeed("docker", "compose", *arguments)

    def up(self) -> None:
        """Start everything, and wait until the app is ready."""
        self.compose("up", "--build", "--detach")
        wait_for(lambda: responds(f"{self.site}/readyz"), "the app in its container")

    def remove(self) -> None:
        """Remove the containers with their data and their images."""
        self.compose("down", "--volumes", "--rmi", "local", "--remove-orphans")


@pytest.fixture(scope="module")
def composed(engine: None, cookies_session: Cookies) -> Iterator[Callable[[str], Composed]]:
    """Return a function that bakes a project, whose containers end with the tests."""
    made: list[Composed] = []

    def bake(slug: str) -> Composed:
        project = cookies_session.bake(extra_context={"project_slug": slug}).project_path
        made.append(Composed(project))
        made[-1].remove()  # what an interrupted run may have left, with another password
        return made[-1]

    yield bake
    for project in made:
        project.remove()


@pytest.fixture(scope="module")
def laptop(composed: Callable[[str], Composed]) -> Composed:
    """Return the default project, started by `docker compose up --build`."""
    laptop = composed("microblog-laptop-under-test")
    laptop.up()
    return laptop


@pytest.fixture(scope="module")
def checkout(engine: None, cookies_session: Cookies) -> Shell:
    """Return a project with a DSN, in a git repository with an origin, that is never started."""
    given = {"project_slug": "microblog-image-under-test", "sentry_dsn": DSN}
    checkout = Shell(cookies_session.bake(extra_context=given).project_path)
    checkout.commit()
    checkout.succeed("git", "remote", "add", "origin", "https://me:token@example.com/org/blog.git")
    return checkout


@pytest.fixture(scope="module")
def image(checkout: Shell) -> Iterator[str]:
    """Return the image that `make image` builds."""
    checkout.succeed("make", "image")
    name = f"{checkout.folder.name}:{ANSWERS['release']}"
    yield name
    docker("rmi", name)


def contents(image: str, archive: Path) -> Iterator[bytes]:
    """Return everything in an image: its layers, its settings and its history."""
    docker("save", "--output", str(archive), image)
    with tarfile.open(archive) as tar:
        for part in tar:
            if file := tar.extractfile(part):
                content = file.read()
                packed = content.startswith(b"\x1f\x8b")
                yield gzip.decompress(content) if packed else content


def test_image_contains_no_secret(checkout: Shell, image: str, tmp_path: Path) -> None:
    """No secret of `.env` is in a layer or in the metadata of the image."""
    env = env_of(checkout.folder)
    secrets = [env[name].encode() for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "SENTRY_DSN")]
    whole = b"".join(contents(image, tmp_path / "image.tar"))
    assert b"def create_app" in whole  # the search can find things
    assert [secret for secret in secrets if secret in whole] == []


def test_image_is_labelled(checkout: Shell, image: str) -> None:
    """The labels name the version, the commit and the source without its token."""
    labels = docker("inspect", "--format", "{{json .Config.Labels}}", image)
    commit = checkout.succeed("git", "rev-parse", "HEAD")
    for label in (
        '"org.opencontainers.image.version":"0.1.0"',
        f'"org.opencontainers.image.revision":"{commit}"',
        '"org.opencontainers.image.source":"https://example.com/org/blog.git"',
    ):
        assert label in labels


def test_image_keeps_nothing_of_the_build(image: str) -> None:
    """The app's environment has no pip, and the app is compiled."""
    script = "python -m pip; find /srv -name '*.py' | wc -l; find /srv -name '*.pyc' | wc -l"
    seen = HERE.run("docker", "run", "--rm", "--entrypoint", "sh", image, "-c", script)
    assert "No module named pip" in seen.stderr
    sources, compiled = seen.stdout.split()
    assert sources == compiled


def layers(image: str) -> list[str]:
    """Return the digests of an image's layers."""
    return docker("inspect", "--format", '{{join .RootFS.Layers " "}}', image).split()


def test_dependencies_make_the_same_layer(checkout: Shell, image: str) -> None:
    """A build without a cache makes the same layer of dependencies, which hosts have already.

    One build of about fifty differed, for a reason that was not found. Such a release costs its
    hosts one download, so a second build may make up for the first.
    """
    base = layers(f"python:{checkout.succeed('bin/project', 'python')}-slim")
    dependencies = len(base) + 1  # after the layer of WORKDIR

    def rebuilt() -> str:
        again = f"{image}-again"
        checkout.succeed("docker", "build", "--no-cache", "--tag", again, ".")
        layer = layers(again)[dependencies]
        docker("rmi", again)
        return layer

    assert any(rebuilt() == layers(image)[dependencies] for _ in range(2))


def test_image_needs_no_privilege(image: str) -> None:
    """The app serves as a non-root user without capabilities who cannot write to /srv."""
    with container(image) as name:
        assert docker("exec", name, "id", "-u") == "10001"
        assert re.search(r"CapBnd:\s+0+$", docker("exec", name, "cat", "/proc/1/status"), re.M)
        assert HERE.run("docker", "exec", name, "touch", "/srv/mine").returncode


def test_image_stops_on_sigterm(image: str) -> None:
    """SIGTERM reaches gunicorn, which ends before Docker would kill it."""
    with container(image) as name:
        start = time.monotonic()
        docker("stop", "--time", "30", name)
        assert time.monotonic() - start < 10
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"


@pytest.mark.parametrize(("proxies", "client"), [("0", "127.0.0.1"), ("1", "192.0.2.7")])
def test_access_log(image: str, proxies: str, client: str) -> None:
    """A line has the request's id, no query, and the client that a trusted proxy names."""
    headers = "{'X-Request-Id': 'abc-123', 'X-Forwarded-For': '192.0.2.7'}"
    request = f"Request('http://127.0.0.1:8000/auth/login?next=/mine', headers={headers})"
    script = f"from urllib.request import *; urlopen({request})"
    with container(image, "--env", f"TRUSTED_PROXIES={proxies}") as name:
        docker("exec", name, "python", "-c", script)
        (line,) = re.findall(r"^.* /auth/login.*$", docker("logs", name), re.M)
    assert line.startswith(f'{client} "GET /auth/login" 200 ')
    assert 'request="abc-123" trace=' in line


def test_image_refuses_to_start_without_database(image: str) -> None:
    """Without DATABASE_URL, the container ends with one line that says what to do."""
    result = HERE.run("docker", "run", "--rm", image)
    assert result.returncode
    assert result.stderr.splitlines()[-1].startswith("DATABASE_URL is not valid: expected the URL")


def test_broken_route_shows_in_spotlight(laptop: Composed, browser: Browser) -> None:
    """Without an account, a person sees the crash on Spotlight's page, whatever its port."""
    see_error(browser, laptop.spotlight, crash(laptop.site))


def test_trace_shows_in_spotlight(laptop: Composed, browser: Browser) -> None:
    """A person sees the trace of a request, with its spans, on Spotlight's page."""
    trace = get(f"{laptop.site}/auth/login").headers["X-Trace-Id"]
    see_trace(browser, laptop.spotlight, trace, transactions=1)


def test_data_outlives_down(laptop: Composed) -> None:
    """`docker compose down` loses no post."""
    browser = sign_up(laptop.site)
    submit(browser, laptop.site, post="Still here")
    laptop.compose("down")
    laptop.up()
    assert "Still here" in browser.get(laptop.site, timeout=10).text


def test_limits_outlive_a_restart(laptop: Composed) -> None:
    """Redis counts wrong passwords, so all workers share the count and a restart keeps it."""

    def guess() -> int:
        form = {"username": "nobody", "password": "wrong"}
        return submit(requests.Session(), f"{laptop.site}/auth/login", **form).status_code

    assert [guess() for _ in range(10)] == [200] * 10
    laptop.compose("restart", "web")
    wait_for(lambda: responds(f"{laptop.site}/readyz"), "the app in its container")
    assert guess() == 429


def test_changed_code_is_served(laptop: Composed) -> None:
    """A saved change is served without a rebuild."""
    health = laptop.folder / "app/health.py"
    health.write_text(health.read_text("utf-8").replace('"ok"', '"fine"'), "utf-8")
    wait_for(lambda: responds(f"{laptop.site}/healthz", "fine"), "the change")


def test_wrong_password_is_reported(laptop: Composed) -> None:
    """The first line of a migration with a wrong password says what to check."""
    migrate = ("docker", "compose", "run", "--rm", "--no-deps", "migrate")
    result = laptop.run(*migrate, POSTGRES_PASSWORD="wrong")  # noqa: S106
    assert result.returncode
    assert result.stderr.startswith("Cannot connect to the database: check DATABASE_URL. Compose")


def test_missing_env_is_reported(composed: Callable[[str], Composed]) -> None:
    """Without `.env`, the first line of docker compose names the recipe that writes one."""
    laptop = composed("microblog-env-under-test")
    env = laptop.folder / ".env"
    kept = env.rename(env.with_name("kept"))
    result = laptop.run("docker", "compose", "up")
    kept.rename(env)
    assert "run make env" in result.stderr.splitlines()[0]


def test_own_tests_pass_on_the_python_of_the_image(default_project: Path) -> None:
    """The project's tests pass on the newest Python, which is the image's."""
    mounts = ("--volume", f"{default_project}:/src:ro", "--volume", f"{UV}:/usr/local/bin/uv:ro")
    install = "uv pip install --system --quiet --require-hashes -r requirements/test.txt"
    tests = f"{install} && PYTHONPYCACHEPREFIX=/tmp pytest -p no:cacheprovider"
    image = f"python:{ANSWERS['python_version']}-slim"
    docker("run", "--rm", "--workdir", "/src", *mounts, image, "sh", "-c", tests)


@pytest.mark.parametrize("config", [("docker", "compose", "config"), STACK_CONFIG])
def test_logs_rotate(checkout: Shell, config: tuple[str, ...]) -> None:
    """Compose and Swarm accept their files, whose services all limit the size of their logs."""
    services = yaml.safe_load(checkout.succeed(*config))["services"]
    drivers = {name: service.get("logging", {}).get("driver") for name, service in services.items()}
    assert set(drivers.values()) == {"local"}, drivers


@pytest.fixture(scope="module")
def ports(checkout: Shell) -> Iterator[list[int]]:
    """Run Caddy with the Caddyfile for an https URL; return where its ports 80 and 443 are."""
    file = f"{checkout.folder / 'deploy/Caddyfile'}:/etc/caddy/Caddyfile:ro"
    ports = ("--publish", "127.0.0.1::80", "--publish", "127.0.0.1::443")
    url = ("--env", "PUBLIC_URL=https://localhost")
    name = docker("run", "--detach", "--volume", file, *ports, *url, "caddy:2")
    try:
        yield [int(docker("port", name, port).split(":")[1]) for port in ("80", "443")]
    finally:
        docker("rm", "--force", "--volumes", name)


def test_caddy_serves_https(ports: list[int]) -> None:
    """For an https URL, Caddy obtains a certificate and redirects from http."""
    http, https = ports
    wait_for(lambda: redirects(f"http://localhost:{http}", "https://localhost/"), "the redirect")
    wait_for(lambda: has_certificate(https), "the certificate")


def test_caddy_limits_what_redirects(ports: list[int]) -> None:
    """For an https URL, a client on port 80 whose headers do not end is disconnected, too."""
    wait_for(lambda: redirects(f"http://localhost:{ports[0]}", "https://localhost/"), "Caddy")
    with socket.create_connection(("localhost", ports[0]), timeout=20) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        assert client.recv(100) == b""


def has_certificate(port: int) -> bool:
    """Tell whether a server on this machine presents a certificate."""
    try:
        return bool(ssl.get_server_certificate(("localhost", port)))
    except OSError:
        return False


def redirects(url: str, target: str) -> bool:
    """Tell whether a URL redirects to another."""
    try:
        response = requests.get(
            url, headers={"Host": "localhost"}, allow_redirects=False, timeout=5
        )
    except requests.RequestException:
        return False
    return response.headers.get("Location") == target


@pytest.fixture(scope="module")
def backup(laptop: Composed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a backup of a database with 1,000 posts, which runs."""
    laptop.compose("down", "--volumes")
    laptop.up()
    laptop.compose("exec", "web", "flask", "seed", "--size", "1000")
    backup = tmp_path_factory.mktemp("backup") / "laptop.dump"
    laptop.succeed("make", "backup", f"FILE={backup}")
    return backup


def count_posts(laptop: Composed) -> int:
    """Return the number of posts in the database."""
    psql = ("bin/in-db", "psql", "--username", "app", "--tuples-only")
    return int(laptop.succeed(*psql, "--command", "SELECT count(*) FROM post"))


def test_restore_does_not_overwrite(laptop: Composed, backup: Path) -> None:
    """A database with rows is not replaced, unless FORCE says so."""
    result = laptop.run("make", "restore", f"FILE={backup}")
    assert result.stderr.startswith("The database has rows, or cannot be read, so it")


def test_damaged_backup_changes_nothing(laptop: Composed, backup: Path, tmp_path: Path) -> None:
    """Where a backup cannot be restored, the database stays as it is."""
    damaged = tmp_path / "damaged.dump"
    damaged.write_bytes(backup.read_bytes()[:5000])
    assert laptop.run("make", "restore", f"FILE={damaged}", "FORCE=1").returncode
    assert count_posts(laptop) == 1000


def test_backup_outlives_the_volume(laptop: Composed, backup: Path) -> None:
    """A new database gets all posts of a backup, although the old volume is gone."""
    laptop.compose("down", "--volumes")
    laptop.up()
    assert count_posts(laptop) == 0
    laptop.succeed("make", "restore", f"FILE={backup}")
    assert count_posts(laptop) == 1000
