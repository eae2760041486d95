"""`make spotlight` of a baked project, and what a person sees on the page of a Spotlight."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser

from tests.support.servers import free_port, responds, wait_for


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


@contextmanager
def make_spotlight(project: Path) -> Iterator[Spotlighted]:
    """Run `make spotlight` on free ports until the block ends."""
    app, spotlight = free_port(), free_port()
    command = ["make", "spotlight", f"PORT={app}", f"SPOTLIGHT_PORT={spotlight}"]
    with subprocess.Popen(command, cwd=project, start_new_session=True) as process:
        site, local = (f"http://127.0.0.1:{port}" for port in (app, spotlight))
        started = Spotlighted(site, local, process)
        try:
            wait_for(lambda: responds(f"{site}/healthz") or process.poll() is not None, "the app")
            yield started
        finally:
            started.interrupt()


def see_error(browser: Browser, spotlight: str, event_id: str) -> None:
    """Wait until Spotlight's page lists an event."""
    page = browser.new_page()
    page.goto(f"{spotlight}/telemetry/errors")
    page.get_by_text(event_id[:8]).wait_for()
    page.close()


def see_trace(browser: Browser, spotlight: str, trace: str, transactions: int) -> None:
    """Wait until Spotlight's page lists a trace of the log-in page, with spans.

    The stream of Spotlight has the trace even if the page lists it without its request.
    """
    page = browser.new_page()
    page.goto(f"{spotlight}/telemetry/traces")
    row = rf"{trace[:8]}.*auth.login.*[1-9]\d* spans, {transactions} txns"
    page.get_by_role("link", name=re.compile(row)).wait_for()
    page.close()
