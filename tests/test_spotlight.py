"""`make spotlight`: the app beside a local Spotlight, which comes from npm."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from pytest_cookies.plugin import Cookies

from tests.support.commands import Shell
from tests.support.servers import Project, lend, responds
from tests.support.spotlight import Spotlighted, make_spotlight, see_error, see_trace
from tests.support.visitors import crash, get

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def fresh(cookies_session: Cookies, project: Project) -> Path:
    """Return a bake without a DSN whose environment is already installed."""
    path: Path = cookies_session.bake().project_path
    lend(project.venv, path)
    return path


@pytest.fixture(scope="module")
def spotlighted(fresh: Path, npx: None) -> Iterator[Spotlighted]:
    """Run `make spotlight`."""
    with make_spotlight(fresh) as started:
        yield started


def test_missing_node_is_reported(fresh: Path, tmp_path: Path) -> None:
    """Without Node, one line says what is missing."""
    (tmp_path / "node").symlink_to("/bin/false")
    result = Shell(fresh).run("make", "spotlight", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert result.stderr.splitlines()[0] == "Spotlight needs Node 22 or newer: https://nodejs.org"


def test_broken_route_shows_in_spotlight(spotlighted: Spotlighted, browser: Browser) -> None:
    """Spotlight's page shows the event of a crash without an account at Sentry."""
    see_error(browser, spotlighted.spotlight, crash(spotlighted.site))


def test_trace_shows_in_spotlight(spotlighted: Spotlighted, browser: Browser) -> None:
    """Spotlight's page shows the trace that the response names, with its spans."""
    trace = get(f"{spotlighted.site}/auth/login").headers["X-Trace-Id"]
    see_trace(browser, spotlighted.spotlight, trace, transactions=1)


def test_spotlight_listens_on_loopback(spotlighted: Spotlighted) -> None:
    """Spotlight listens on the loopback interface only."""
    port = f":{int(spotlighted.spotlight.rpartition(':')[2]):04X}"
    tables = Path("/proc/net/tcp").read_text("utf-8") + Path("/proc/net/tcp6").read_text("utf-8")
    listening = re.findall(rf"^ *\d+: (\w+){port} \w+:0000 0A", tables, re.M)
    assert listening == ["0100007F"]


def test_ctrl_c_ends_app_and_spotlight(spotlighted: Spotlighted) -> None:
    """After Ctrl+C, neither the app nor Spotlight listens; this is the last test of them."""
    spotlighted.interrupt()
    spotlighted.process.wait(timeout=20)
    assert not responds(spotlighted.spotlight)
    assert not responds(f"{spotlighted.site}/healthz")
