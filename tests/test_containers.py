"""The baked project in containers: the image by itself, and a laptop's compose."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from pytest_cookies.plugin import Cookies
from servers import answers, csrf_token, free_port, sign_up, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.containers]

IMAGE = "microblog-under-test"
PORTS = """
services:
  web:
    ports: !override ["127.0.0.1:{web}:8000"]
  spotlight:
    ports: !override ["127.0.0.1:{spotlight}:8969"]
"""


def docker(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run docker."""
    command = ["docker", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@dataclass
class Laptop:
    """A fresh bake, started by `docker compose up --build`, but on free ports."""

    project: Path
    web: str
    spotlight: str

    def compose(self, *arguments: str) -> str:
        """Run docker compose as `docker compose` would run here, and return what it prints."""
        files = ("compose.yaml", "compose.override.yaml", "ports.yaml")
        options = [option for file in files for option in ("--file", file)]
        result = docker("compose", *options, *arguments, cwd=self.project)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def up(self) -> None:
        """Start everything, and wait until the app can serve."""
        self.compose("up", "--build", "--detach")
        wait_for(lambda: answers(f"{self.web}/readyz"), "the app in its container")

    def seen_by_spotlight(self) -> str:
        """Return all envelopes that Spotlight has got; it never ends its stream by itself."""
        seen: list[bytes] = []
        stream = requests.get(f"{self.spotlight}/stream", stream=True, timeout=2)
        with stream, suppress(requests.ConnectionError):
            seen.extend(stream.iter_lines())
        return b"".join(seen).decode()


@pytest.fixture(scope="module", autouse=True)
def engine() -> None:
    """Skip where no container engine answers; in CI, one has to."""
    if docker("info").returncode and not os.environ.get("CI"):
        pytest.skip("no container engine answers")


@pytest.fixture(scope="module")
def laptop(engine: None, cookies_session: Cookies) -> Iterator[Laptop]:
    """Return the running default project."""
    project = cookies_session.bake(extra_context={"project_slug": IMAGE}).project_path
    ports = {"web": free_port(), "spotlight": free_port()}
    (project / "ports.yaml").write_text(PORTS.format(**ports), "utf-8")
    web, spotlight = (f"http://127.0.0.1:{port}" for port in ports.values())
    laptop = Laptop(project, web, spotlight)
    try:
        laptop.up()
        yield laptop
    finally:
        laptop.compose("down", "--volumes", "--rmi", "local")


def test_broken_route_shows_in_spotlight(laptop: Laptop) -> None:
    """Without an account, a person sees the crash and its trace."""
    page = requests.get(f"{laptop.web}/broken_route", timeout=10)
    (event_id,) = re.findall(r'class="event-id">(\w+)<', page.text)
    assert wait_for(lambda: event_id in laptop.seen_by_spotlight(), "the event in Spotlight")


def test_data_outlives_down(laptop: Laptop) -> None:
    """`docker compose down` loses no post."""
    browser = sign_up(laptop.web)
    token = csrf_token(browser.get(laptop.web, timeout=10))
    browser.post(laptop.web, data={"csrf_token": token, "post": "Still here"}, timeout=10)
    laptop.compose("down")
    laptop.up()
    assert "Still here" in browser.get(laptop.web, timeout=10).text


def test_changed_code_is_served(laptop: Laptop) -> None:
    """A saved change shows without a rebuild."""
    health = laptop.project / "app/health.py"
    health.write_text(health.read_text("utf-8").replace('"ok"', '"fine"'), "utf-8")
    url = f"{laptop.web}/healthz"
    assert wait_for(lambda: answers(url) and "fine" in requests.get(url, timeout=5).text, "it")


def test_image_holds_no_secret(laptop: Laptop) -> None:
    """`.env` stays out of the image."""
    listing = docker("run", "--rm", "--entrypoint", "find", f"{IMAGE}:latest", "/srv")
    assert ".env" not in listing.stdout.replace("\n", " ").split("/srv/")


def test_image_runs_unprivileged(laptop: Laptop) -> None:
    """Nothing in the image runs as root."""
    assert docker("run", "--rm", "--entrypoint", "id", f"{IMAGE}:latest", "-u").stdout != "0\n"


def test_image_refuses_a_lost_database(laptop: Laptop) -> None:
    """Without DATABASE_URL the container ends with one line that says what to do."""
    result = docker("run", "--rm", f"{IMAGE}:latest")
    assert result.returncode
    assert result.stderr.splitlines()[-1].startswith("DATABASE_URL is empty: set it")
