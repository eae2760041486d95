"""Take the README's pictures: a bake, the timeline, and a crash beside its event in Spotlight.

Everything is real: a project is baked, installed, seeded and served, and Chromium shows it.
"""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.support.baking import COOKIECUTTER, Terminal, bake
from tests.support.browsers import chromium, serving_samples
from tests.support.commands import HERE
from tests.support.servers import Project, install
from tests.support.spotlight import spotlighting
from tests.support.template import TEMPLATE

PICTURES = TEMPLATE / "docs"
SIZE = {"width": 960, "height": 640}

ROWS, COLUMNS = 24, 92
COMMAND = "uvx cookiecutter gh:org/template"
ANSWERS = ("Birdsong", "", "https://public@sentry.example.com/1", "", "", "")
KEY = 0.06  # seconds between two keys
THOUGHT = 0.8  # seconds before an answer
SVG_TERM = ("npx", "--yes", "svg-term-cli@2.1.1", "--window")


def main() -> None:
    """Take all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        picture_bake(folder)
        project = Project(bake(folder), folder / "venv")
        install(project.folder / "requirements/prod.txt", project.venv)
        picture_timeline(browser, project, folder)
        picture_crash(browser, project)


def picture_timeline(browser: Browser, project: Project, folder: Path) -> None:
    """Show the timeline, light and dark."""
    with serving_samples(project, folder) as samples:
        for scheme in ("light", "dark"):
            with browser.new_context(
                base_url=samples.url, viewport=SIZE, color_scheme=scheme
            ) as window:
                page = window.new_page()
                samples.log_in(page)
                page.goto("/")
                page.screenshot(path=PICTURES / f"timeline-{scheme}.png")


def picture_crash(browser: Browser, project: Project) -> None:
    """Show the broken route beside the event that Spotlight has of it."""
    (project.folder / ".venv").symlink_to(project.venv)
    for ready in ("prod", "dev"):
        (project.venv / ready).touch()
    with spotlighting(project.folder) as started, browser.new_context(viewport=SIZE) as window:
        crash, event = window.new_page(), window.new_page()
        crash.goto(f"{started.site}/broken_route")
        event.goto(started.spotlight)
        event.get_by_text("ZeroDivisionError").first.click()
        event.wait_for_load_state("networkidle")
        side_by_side(window.new_page(), crash, event)


def side_by_side(sheet: Page, *pages: Page) -> None:
    """Picture pages beside each other."""
    print([page.url for page in pages])


def picture_bake(folder: Path) -> None:
    """Record a bake, typed at the prompts, as an animated picture."""
    cast = folder / "bake.cast"
    header = {"version": 2, "width": COLUMNS, "height": ROWS}
    (folder / "terminal").mkdir()
    lines = [header, *record(Terminal(folder / "terminal"))]
    cast.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    HERE.succeed(*SVG_TERM, "--in", str(cast), "--out", str(PICTURES / "bake.svg"))


def record(terminal: Terminal) -> Iterator[tuple[float, str, str]]:
    """Bake, answering whenever the terminal is silent, and yield what it shows and when."""
    clock = 0.5
    for key in f"{COMMAND}\r\n":
        yield clock, "o", f"\x1b[32m$\x1b[0m {key}" if key == COMMAND[0] and clock == 0.5 else key
        clock += KEY
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    variables = {**terminal.variables, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        COOKIECUTTER, cwd=terminal.folder, env=variables, stdin=follower, stdout=follower, stderr=follower
    )
    os.close(follower)
    answers = iter(ANSWERS)
    with suppress(OSError):  # the terminal has been closed
        while True:
            if select.select([leader], [], [], 1)[0]:
                yield clock, "o", os.read(leader, 4096).decode()
                continue
            clock += THOUGHT
            for key in next(answers, "") + "\n":
                os.write(leader, key.encode())
                clock += KEY
                yield clock, "o", os.read(leader, 4096).decode()
    process.wait()
    yield clock + 4, "o", ""


if __name__ == "__main__":
    main()
