"""`make spotlight`: the app beside a local Spotlight, which comes from npm."""

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
from pytest_cookies.plugin import Cookies

from tests.support.commands import Shell
from tests.support.sentry import spotlight_stream
from tests.support.servers import Project, free_port, responds, wait_for
from tests.support.visitors import crash, get

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh(cookies: Cookies, project: Project) -> Path:
    """Return a bake without a DSN whose environment is already installed."""
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
        """Tell whether Spotlight has received an envelope with a text."""
        return text in spotlight_stream(self.spotlight)


@pytest.fixture
def spotlighted(fresh: Path) -> Iterator[Spotlighted]:
    """Run `make spotlight`; skip the test where there is no Node, except in CI."""
    if not shutil.which("npx") and not os.environ.get("CI"):
        pytest.skip("there is no Node")
    app, spotlight = free_port(), free_port()
    command = ["make", "spotlight", f"PORT={app}", f"SPOTLIGHT_PORT={spotlight}"]
    with subprocess.Popen(command, cwd=fresh, start_new_session=True) as process:
        site, local = (f"http://127.0.0.1:{port}" for port in (app, spotlight))
        started = Spotlighted(site, local, process)
        try:
            wait_for(lambda: responds(f"{site}/healthz") or process.poll() is not None, "the app")
            yield started
        finally:
            started.interrupt()


def test_broken_route_shows_in_spotlight(spotlighted: Spotlighted) -> None:
    """Without an account, a person sees the crash."""
    event_id = crash(spotlighted.site)
    assert wait_for(lambda: spotlighted.shows(event_id), "the event in Spotlight")


def test_trace_shows_in_spotlight(spotlighted: Spotlighted) -> None:
    """Spotlight shows the trace that the response names."""
    trace = get(f"{spotlighted.site}/auth/login").headers["X-Trace-Id"]
    assert wait_for(lambda: spotlighted.shows(trace), "the trace in Spotlight")


def test_spotlight_listens_on_loopback(spotlighted: Spotlighted) -> None:
    """Other machines cannot see the errors."""
    port = f":{int(spotlighted.spotlight.rpartition(':')[2]):04X}"
    tables = Path("/proc/net/tcp").read_text("utf-8") + Path("/proc/net/tcp6").read_text("utf-8")
    listening = re.findall(rf"^ *\d+: (\w+){port} \w+:0000 0A", tables, re.M)
    assert listening == ["0100007F"]


def test_ctrl_c_ends_both(spotlighted: Spotlighted) -> None:
    """After Ctrl+C, neither the app nor Spotlight listens."""
    spotlighted.interrupt()
    spotlighted.process.wait(timeout=20)
    assert not responds(spotlighted.spotlight)
    assert not responds(f"{spotlighted.site}/healthz")


def test_missing_node_is_reported(fresh: Path, tmp_path: Path) -> None:
    """Without Node, one line says what is missing."""
    (tmp_path / "node").symlink_to("/bin/false")
    result = Shell(fresh).run("make", "spotlight", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.stderr.splitlines()[0] == "Spotlight needs Node 20 or newer: https://nodejs.org"
