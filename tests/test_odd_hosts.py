"""The project in containers on a machine with a strict umask, a proxy, and ports of its own."""

from collections.abc import Iterator

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.commands import Shell, docker
from tests.support.containers import container
from tests.support.servers import free_port
from tests.support.template import ANSWERS

pytestmark = [pytest.mark.slow, pytest.mark.containers, pytest.mark.usefixtures("engine")]

SLUG = "microblog-odd-host-under-test"


@pytest.fixture(scope="module")
def owner(engine: None, cookies_session: Cookies) -> Iterator[Shell]:
    """Return a project whose files only their owner may read, on free ports."""
    answers = {"project_slug": SLUG, "microblog": False}  # others start the Microblog
    owner = Shell(cookies_session.bake(extra_context=answers).project_path)
    owner.variables |= {name: str(free_port()) for name in ("PORT", "SPOTLIGHT_PORT")}
    down = ("docker", "compose", "down", "--volumes")
    owner.succeed(*down)  # what an interrupted run may have left, with another password
    owner.succeed("chmod", "-R", "go=", owner.folder)
    owner.succeed("make", "image")
    yield owner
    owner.succeed(*down)
    docker("rmi", f"{SLUG}:{ANSWERS['release']}")


def test_image_does_not_depend_on_umask(owner: Shell) -> None:
    """The app's user can read the image, although others could not read the project's files."""
    with container(f"{SLUG}:{ANSWERS['release']}") as name:
        unreadable = "find /srv -not -perm -o=r -o -type d -not -perm -o=x"
        assert docker("exec", name, "sh", "-c", unreadable) == ""


PROXIES = [f"{name}=http://127.0.0.1:9" for name in ("http_proxy", "HTTP_PROXY", "all_proxy")]


@pytest.mark.parametrize("variable", ["PORT=5000", "PORT=", *PROXIES])
def test_health_check_asks_the_app(owner: Shell, variable: str) -> None:
    """The container becomes healthy on any port, and with a proxy that does not respond."""
    with container(f"{SLUG}:{ANSWERS['release']}", "--env", variable) as web:
        assert docker("inspect", "--format", "{{.State.Health.FailingStreak}}", web) == "0"


def test_up_waits_for_all_services(owner: Shell) -> None:
    """`docker compose up --wait` ends once each service that keeps running is healthy."""
    owner.succeed("chmod", "-R", "go=rX", "app")  # web reads it from the host
    owner.succeed("docker", "compose", "up", "--wait")
    health = owner.succeed("docker", "compose", "ps", "--format", "{{.Service}} {{.Health}}")
    assert set(health.splitlines()) == {
        f"{service} healthy" for service in ("db", "redis", "spotlight", "web")
    }
