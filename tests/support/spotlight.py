"""`make spotlight` of a baked project: the app beside a local Spotlight, which comes from npm."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.sentry import spotlight_stream
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

    def shows(self, text: str) -> bool:
        """Tell whether Spotlight has received an envelope with a text."""
        return text in spotlight_stream(self.spotlight)


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
