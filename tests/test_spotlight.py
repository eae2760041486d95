"""`make spotlight`: a local Sentry beside the app, from npm."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
from commands import run
from pytest_cookies.plugin import Cookies
from servers import Project, answers, free_port, wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh(cookies: Cookies, project: Project) -> Path:
    """Return a bake without a DSN, in an environment that is installed already."""
    path: Path = cookies.bake().project_path
    (path / ".venv").symlink_to(project.venv)
    for ready in ("prod", "dev"):
        (path / ".venv" / ready).touch()
    return path


@dataclass
class Spotlighted:
    """The app, with Spotlight beside it."""

    site: str
    spotlight: str
    process: subprocess.Popen[bytes]

    def interrupt(self) -> None:
        """Press Ctrl+C."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)

    def shows(self, text: str) -> bool:
        """Tell whether the text is in what Spotlight replays; its stream never ends by itself."""
        stream = requests.get(f"{self.spotlight}/stream", stream=True, timeout=2)
        with stream, suppress(requests.ConnectionError):
            return any(text in line.decode() for line in stream.iter_lines())
        return False


@pytest.fixture
def spotlighted(fresh: Path) -> Iterator[Spotlighted]:
    """Run `make spotlight`; skip where there is no Node, but not in CI."""
    if not shutil.which("npx") and not os.environ.get("CI"):
        pytest.skip("there is no Node")
    app, spotlight = free_port(), free_port()
    command = ["make", "spotlight", f"PORT={app}", f"SPOTLIGHT_PORT={spotlight}"]
    with subprocess.Popen(command, cwd=fresh, start_new_session=True) as process:
        site, local = (f"http://127.0.0.1:{port}" for port in (app, spotlight))
        started = Spotlighted(site, local, process)
        try:
            wait_for(lambda: answers(f"{site}/healthz") or process.poll() is not None, "the app")
            yield started
        finally:
            started.interrupt()


def test_broken_route_shows_in_spotlight(spotlighted: Spotlighted) -> None:
    """Without an account, a person sees the crash."""
    page = requests.get(f"{spotlighted.site}/broken_route", timeout=10)
    (event_id,) = re.findall(r'class="event-id">(\w+)<', page.text)
    assert wait_for(lambda: spotlighted.shows(event_id), "the event in Spotlight")


def test_trace_shows_in_spotlight(spotlighted: Spotlighted) -> None:
    """Requests are traced, however few of them the project's settings would keep."""
    trace = requests.get(f"{spotlighted.site}/auth/login", timeout=10).headers["X-Trace-Id"]
    assert wait_for(lambda: spotlighted.shows(trace), "the trace in Spotlight")


def test_ctrl_c_ends_both(spotlighted: Spotlighted) -> None:
    """Nothing is left behind that listens."""
    spotlighted.interrupt()
    spotlighted.process.wait(timeout=20)
    assert not answers(spotlighted.spotlight)
    assert not answers(f"{spotlighted.site}/healthz")


def test_missing_node_is_said(fresh: Path, tmp_path: Path) -> None:
    """Without Node, one line says what is missing."""
    (tmp_path / "node").symlink_to("/bin/false")
    result = run("make", "spotlight", cwd=fresh, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.stderr.splitlines()[0] == "Spotlight needs Node 20 or newer: https://nodejs.org"
