"""The baked project in containers: the image by itself, a laptop's compose, a server's."""

import gzip
import re
import socket
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from commands import docker, run, succeed
from helpers import DSN
from pytest_cookies.plugin import Cookies
from servers import answers, csrf_token, env_of, free_port, sign_up, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.containers, pytest.mark.usefixtures("engine")]

LOCKED_DOWN = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
NOWHERE = ("--env", "SECRET_KEY=not-a-secret-and-long-enough-to-be-valid", "--env", "DATABASE_URL=postgresql://u:p@127.0.0.1/blog")
GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.com")


@dataclass
class Composed:
    """A fresh bake, run by docker compose on free ports."""

    project: Path
    web: int
    spotlight: int

    def run(self, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project, on these ports."""
        ports = {"PORT": str(self.web), "SPOTLIGHT_PORT": str(self.spotlight)}
        return run(*command, cwd=self.project, **ports, **more)

    def compose(self, *arguments: str) -> str:
        """Run docker compose, which must succeed, and return what it prints."""
        result = self.run("docker", "compose", *arguments)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def up(self) -> None:
        """Start everything, and wait until the app can serve."""
        self.compose("up", "--build", "--detach")
        wait_for(lambda: answers(f"{self.site}/readyz"), "the app in its container")

    @property
    def site(self) -> str:
        """Return the address of the app."""
        return f"http://127.0.0.1:{self.web}"

    def seen_by_spotlight(self) -> str:
        """Return all envelopes that Spotlight has got; it never ends its stream by itself."""
        seen: list[bytes] = []
        stream = requests.get(f"http://127.0.0.1:{self.spotlight}/stream", stream=True, timeout=2)
        with stream, suppress(requests.ConnectionError):
            seen.extend(stream.iter_lines())
        return b"".join(seen).decode()


@pytest.fixture(scope="module")
def composed(engine: None, cookies_session: Cookies) -> Iterator[Callable[[str], Composed]]:
    """Return a function that bakes a project; whatever it starts ends with the tests."""
    made: list[Composed] = []

    def bake(slug: str) -> Composed:
        project = cookies_session.bake(extra_context={"project_slug": slug}).project_path
        made.append(Composed(project, free_port(), free_port()))
        return made[-1]

    yield bake
    for project in made:
        project.compose("down", "--volumes", "--rmi", "local", "--remove-orphans")


@pytest.fixture(scope="module")
def laptop(composed: Callable[[str], Composed]) -> Composed:
    """Return the default project, started by `docker compose up --build`."""
    laptop = composed("microblog-laptop-under-test")
    laptop.up()
    return laptop


@pytest.fixture(scope="module")
def project(engine: None, cookies_session: Cookies) -> Path:
    """Return a project with a DSN, in a git repository with an origin, that is never started."""
    answers = {"project_slug": "microblog-image-under-test", "sentry_dsn": DSN}
    path: Path = cookies_session.bake(extra_context=answers).project_path
    for command in (
        ["init", "--quiet"],
        ["add", "."],
        ["commit", "--quiet", "--message", "All"],
        ["remote", "add", "origin", "https://me:token@example.com/org/blog.git"],
    ):
        succeed(*GIT, *command, cwd=path)
    return path


@pytest.fixture(scope="module")
def image(project: Path) -> Iterator[str]:
    """Return the image that `make image` builds."""
    succeed("make", "image", cwd=project)
    name = f"{project.name}:0.1.0"
    yield name
    docker("rmi", name)


@contextmanager
def container(image: str, *options: str) -> Iterator[str]:
    """Run the image with as little power as it needs, until the block ends."""
    name = docker("run", "--detach", *LOCKED_DOWN, *NOWHERE, *options, image)
    try:
        health = ("inspect", "--format", "{{.State.Health.Status}}", name)
        wait_for(lambda: docker(*health) == "healthy", "a healthy container")
        yield name
    finally:
        docker("rm", "--force", name)


def contents(image: str, archive: Path) -> Iterator[bytes]:
    """Return all that the image is made of: its layers, its settings, its history."""
    docker("save", "--output", str(archive), image)
    with tarfile.open(archive) as tar:
        for part in tar:
            if file := tar.extractfile(part):
                content = file.read()
                packed = content.startswith(b"\x1f\x8b")
                yield gzip.decompress(content) if packed else content


def test_image_holds_no_secret(project: Path, image: str, tmp_path: Path) -> None:
    """Nothing of `.env` is in any layer, nor in what the image says of itself."""
    env = env_of(project)
    secrets = [env[name].encode() for name in ("SECRET_KEY", "POSTGRES_PASSWORD", "SENTRY_DSN")]
    whole = b"".join(contents(image, tmp_path / "image.tar"))
    assert b"def create_app" in whole  # the search can find things
    assert [secret for secret in secrets if secret in whole] == []


def test_image_says_where_it_comes_from(project: Path, image: str) -> None:
    """Its labels name the version, the commit and the source, without whose token it is."""
    labels = docker("inspect", "--format", "{{json .Config.Labels}}", image)
    commit = succeed("git", "rev-parse", "HEAD", cwd=project)
    for label in (
        '"org.opencontainers.image.version":"0.1.0"',
        f'"org.opencontainers.image.revision":"{commit}"',
        '"org.opencontainers.image.source":"https://example.com/org/blog.git"',
    ):
        assert label in labels


def test_image_keeps_nothing_of_the_build(image: str) -> None:
    """The app's environment has no pip, and the app comes compiled."""
    script = "python -m pip; find /srv -name '*.py' | wc -l; find /srv -name '*.pyc' | wc -l"
    seen = run("docker", "run", "--rm", "--entrypoint", "sh", image, "-c", script)
    assert "No module named pip" in seen.stderr
    sources, compiled = seen.stdout.split()
    assert sources == compiled


def test_image_needs_no_power(image: str) -> None:
    """It serves as a numbered user, who may write nowhere, without capabilities."""
    with container(image) as name:
        assert docker("exec", name, "id", "-u") == "10001"
        assert re.search(r"CapBnd:\s+0+$", docker("exec", name, "cat", "/proc/1/status"), re.M)
        assert run("docker", "exec", name, "touch", "/srv/mine").returncode


def test_image_ends_when_told(image: str) -> None:
    """SIGTERM reaches gunicorn, which ends by itself long before Docker kills it."""
    with container(image) as name:
        start = time.monotonic()
        docker("stop", "--time", "30", name)
        assert time.monotonic() - start < 10
        assert docker("inspect", "--format", "{{.State.ExitCode}}", name) == "0"


@pytest.mark.parametrize(("proxies", "client"), [("0", "127.0.0.1"), ("1", "192.0.2.7")])
def test_access_log(image: str, proxies: str, client: str) -> None:
    """A line has the request's id and no query; who asked is what a trusted proxy says."""
    headers = "{'X-Request-Id': 'abc-123', 'X-Forwarded-For': '192.0.2.7'}"
    request = f"Request('http://127.0.0.1:8000/auth/login?next=/mine', headers={headers})"
    script = f"from urllib.request import *; urlopen({request})"
    with container(image, "--env", f"TRUSTED_PROXIES={proxies}") as name:
        docker("exec", name, "python", "-c", script)
        (line,) = re.findall(r"^.* /auth/login.*$", docker("logs", name), re.M)
    assert line.startswith(f'{client} "GET /auth/login" 200 ')
    assert 'request="abc-123" trace=' in line


def test_image_refuses_a_lost_database(image: str) -> None:
    """Without DATABASE_URL the container ends with one line that says what to do."""
    result = run("docker", "run", "--rm", image)
    assert result.returncode
    assert result.stderr.splitlines()[-1].startswith("DATABASE_URL is not valid: expected the URL")


def test_broken_route_shows_in_spotlight(laptop: Composed) -> None:
    """Without an account, a person sees the crash and its trace."""
    page = requests.get(f"{laptop.site}/broken_route", timeout=10)
    (event_id,) = re.findall(r'class="event-id">(\w+)<', page.text)
    seen = wait_for(lambda: event_id in (s := laptop.seen_by_spotlight()) and s, "the event")
    assert '"type":"transaction"' in seen


def test_data_outlives_down(laptop: Composed) -> None:
    """`docker compose down` loses no post."""
    browser = sign_up(laptop.site)
    token = csrf_token(browser.get(laptop.site, timeout=10))
    browser.post(laptop.site, data={"csrf_token": token, "post": "Still here"}, timeout=10)
    laptop.compose("down")
    laptop.up()
    assert "Still here" in browser.get(laptop.site, timeout=10).text


def test_changed_code_is_served(laptop: Composed) -> None:
    """A saved change shows without a rebuild."""
    health = laptop.project / "app/health.py"
    health.write_text(health.read_text("utf-8").replace('"ok"', '"fine"'), "utf-8")
    url = f"{laptop.site}/healthz"
    assert wait_for(lambda: answers(url) and "fine" in requests.get(url, timeout=5).text, "it")


def test_wrong_password_is_told(laptop: Composed) -> None:
    """Where the database refuses, the first line of the migration says what to look at."""
    migrate = ("docker", "compose", "run", "--rm", "--no-deps", "migrate")
    result = laptop.run(*migrate, POSTGRES_PASSWORD="wrong")  # noqa: S106
    assert result.returncode
    assert result.stderr.startswith("Cannot connect to the database: check DATABASE_URL. Compose builds")


def test_taken_port_is_told(composed: Callable[[str], Composed]) -> None:
    """`make up` says which port is taken, and how to choose another, before it starts anything."""
    project = composed("microblog-port-under-test")
    with socket.create_server(("127.0.0.1", project.web)):
        result = project.run("make", "up")
    assert result.returncode
    assert result.stderr.startswith(f"Port {project.web} is taken: ")


def test_missing_env_is_told(composed: Callable[[str], Composed]) -> None:
    """Without `.env`, the first line of docker compose names the recipe that writes one."""
    project = composed("microblog-env-under-test")
    env = project.project / ".env"
    kept = env.rename(env.with_name("kept"))
    result = project.run("docker", "compose", "up")
    kept.rename(env)
    assert "run make env" in result.stderr.splitlines()[0]


def test_one_server(composed: Callable[[str], Composed]) -> None:
    """On a server, compose.yaml alone runs the app as the README says: no Spotlight, no crash."""
    server = composed("microblog-server-under-test")
    assert server.run("make", "image").returncode == 0
    readme = (server.project / "README.md").read_text("utf-8")
    (steps,) = re.findall(r"^    (docker compose -f compose.yaml .*\n(?: {4}.*\n)*)", readme, re.M)
    for step in steps.splitlines():
        result = server.run(*step.split(), TAG="0.1.0")
        assert result.returncode == 0, result.stderr
    assert requests.get(f"{server.site}/readyz", timeout=10).ok
    assert requests.get(f"{server.site}/broken_route", timeout=10).status_code == 404
    assert "spotlight" not in server.compose("ps", "--services")


def test_own_tests_pass_on_the_python_of_the_image(default_project: Path) -> None:
    """The project's tests are green on the newest Python, which is the image's."""
    source = ("--volume", f"{default_project}:/src:ro", "--workdir", "/src")
    install = "pip install --quiet --require-hashes --requirement requirements/test.txt"
    tests = f"{install} && PYTHONPYCACHEPREFIX=/tmp pytest -p no:cacheprovider"
    docker("run", "--rm", *source, "python:3.14-slim", "sh", "-c", tests)


def test_compose_files_are_valid(project: Path) -> None:
    """Compose takes both of its combinations, and Swarm takes its own."""
    succeed("docker", "compose", "config", "--quiet", cwd=project)
    succeed("docker", "compose", "-f", "compose.yaml", "config", "--quiet", cwd=project)
    stack = ("docker", "stack", "config", "-c", "compose.yaml", "-c", "compose.swarm.yaml")
    assert "order: start-first" in succeed(*stack, cwd=project, POSTGRES_PASSWORD="unused")  # noqa: S106
