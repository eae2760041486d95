"""The baked project in containers: its image, and Compose on a laptop and on a server."""

import gzip
import re
import socket
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.commands import HERE, Shell, docker
from tests.support.containers import container
from tests.support.sentry import spotlight_stream
from tests.support.servers import env_of, free_port, responds, wait_for
from tests.support.template import ANSWERS, DSN
from tests.support.visitors import crash, get, sign_up, submit

pytestmark = [pytest.mark.slow, pytest.mark.containers, pytest.mark.usefixtures("engine")]


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


@pytest.fixture(scope="module")
def composed(engine: None, cookies_session: Cookies) -> Iterator[Callable[[str], Composed]]:
    """Return a function that bakes a project, whose containers end with the tests."""
    made: list[Composed] = []

    def bake(slug: str) -> Composed:
        project = cookies_session.bake(extra_context={"project_slug": slug}).project_path
        made.append(Composed(project))
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


def test_broken_route_shows_in_spotlight(laptop: Composed) -> None:
    """Without an account, a person sees the crash and its trace."""
    event_id = crash(laptop.site)
    seen = wait_for(lambda: event_id in (s := spotlight_stream(laptop.spotlight)) and s, "it")
    assert '"type":"transaction"' in seen


def test_data_outlives_down(laptop: Composed) -> None:
    """`docker compose down` loses no post."""
    browser = sign_up(laptop.site)
    submit(browser, laptop.site, post="Still here")
    laptop.compose("down")
    laptop.up()
    assert "Still here" in browser.get(laptop.site, timeout=10).text


def test_changed_code_is_served(laptop: Composed) -> None:
    """A saved change is served without a rebuild."""
    health = laptop.folder / "app/health.py"
    health.write_text(health.read_text("utf-8").replace('"ok"', '"fine"'), "utf-8")
    url = f"{laptop.site}/healthz"
    assert wait_for(lambda: responds(url) and "fine" in get(url).text, "the change")


def test_wrong_password_is_reported(laptop: Composed) -> None:
    """The first line of a migration with a wrong password says what to check."""
    migrate = ("docker", "compose", "run", "--rm", "--no-deps", "migrate")
    result = laptop.run(*migrate, POSTGRES_PASSWORD="wrong")  # noqa: S106
    assert result.returncode
    assert result.stderr.startswith("Cannot connect to the database: check DATABASE_URL. Compose")


def test_taken_port_is_reported(composed: Callable[[str], Composed]) -> None:
    """`make up` names the taken port and how to choose another before it starts anything."""
    laptop = composed("microblog-port-under-test")
    port = laptop.variables["PORT"]
    with socket.create_server(("127.0.0.1", int(port))):
        result = laptop.run("make", "up")
    assert result.returncode
    assert result.stderr.startswith(f"Port {port} is taken: ")


def test_missing_env_is_reported(composed: Callable[[str], Composed]) -> None:
    """Without `.env`, the first line of docker compose names the recipe that writes one."""
    laptop = composed("microblog-env-under-test")
    env = laptop.folder / ".env"
    kept = env.rename(env.with_name("kept"))
    result = laptop.run("docker", "compose", "up")
    kept.rename(env)
    assert "run make env" in result.stderr.splitlines()[0]


def test_one_server(composed: Callable[[str], Composed]) -> None:
    """With compose.yaml alone, the README's steps serve the app without Spotlight or crash."""
    server = composed("microblog-server-under-test")
    server.succeed("make", "image")
    readme = (server.folder / "README.md").read_text("utf-8")
    (steps,) = re.findall(r"^    (docker compose -f compose.yaml .*\n(?: {4}.*\n)*)", readme, re.M)
    for step in steps.splitlines():
        server.succeed(*step.split(), TAG=ANSWERS["release"])
    assert get(f"{server.site}/readyz").ok
    assert get(f"{server.site}/broken_route").status_code == 404
    assert "spotlight" not in server.compose("ps", "--services")


def test_own_tests_pass_on_the_python_of_the_image(default_project: Path) -> None:
    """The project's tests pass on the newest Python, which is the image's."""
    source = ("--volume", f"{default_project}:/src:ro", "--workdir", "/src")
    install = "pip install --quiet --require-hashes --requirement requirements/test.txt"
    tests = f"{install} && PYTHONPYCACHEPREFIX=/tmp pytest -p no:cacheprovider"
    docker("run", "--rm", *source, f"python:{ANSWERS['python_version']}-slim", "sh", "-c", tests)


def test_compose_files_are_valid(checkout: Shell) -> None:
    """Compose accepts the files with and without its override, and Swarm accepts its own."""
    checkout.succeed("docker", "compose", "config", "--quiet")
    checkout.succeed("docker", "compose", "-f", "compose.yaml", "config", "--quiet")
    stack = ("docker", "stack", "config", "-c", "compose.yaml", "-c", "compose.swarm.yaml")
    assert "order: start-first" in checkout.succeed(*stack, POSTGRES_PASSWORD="unused")  # noqa: S106
