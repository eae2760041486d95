"""Take the READMEs' pictures: a bake, the timeline, a crash beside its event, and a trace.

Everything is real: projects are baked, installed, seeded and served, and Chromium shows them and
Spotlight. Also print what Lighthouse says of the pages.
"""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Page, ViewportSize

from tests.support.baking import COOKIECUTTER, Terminal, bake
from tests.support.browsers import CHROMIUM, FLAGS, Samples, chromium, serving_samples
from tests.support.commands import HERE, Shell
from tests.support.servers import Project
from tests.support.spotlight import make_spotlight
from tests.support.template import TEMPLATE

PICTURES = TEMPLATE / "docs"
SIZE: ViewportSize = {"width": 960, "height": 640}
WIDE: ViewportSize = {"width": 1800, "height": 640}
SPANS: FloatRect = {"x": 240, "y": 72, "width": 780, "height": 420}  # of Spotlight's page

ROWS, COLUMNS = 28, 104
README = (TEMPLATE / "README.md").read_text("utf-8")
[COMMAND] = re.findall(r"^    (uvx cookiecutter \S+)$", README, re.MULTILINE)
ANSWERS = ("Birdsong", "", "https://public@sentry.example.com/1", "", "", "")
KEY = 0.06  # seconds between two keys
THOUGHT = 0.8  # seconds before an answer
LIGHTHOUSE = ("npx", "--yes", "lighthouse@12.8.2")  # runs on Node 20
SVG_TERM = ("npx", "--yes", "svg-term-cli@2.1.1", "--window")


def main() -> None:
    """Take all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        picture_bake(folder)
        traced = baked(folder / "traced", "assets", ".venv/prod", browser_tracing="yes")
        picture_trace(browser, traced)
        project = baked(folder / "default", ".venv/prod")
        picture_crash(browser, project)
        with serving_samples(project, folder) as samples:
            with browser.new_context(base_url=samples.url) as window:
                page = window.new_page()
                samples.log_in(page)
                picture_timeline(page)
                cookies = "; ".join(f"{c['name']}={c['value']}" for c in window.cookies())
            for path in ("/", "/auth/login"):
                print(path, lighthouse(samples.url + path))
            print("timeline", lighthouse(samples.url, Cookie=cookies))


def baked(folder: Path, *targets: str, **answers: str) -> Project:
    """Bake a project, and make what it needs to be served."""
    project = bake(folder, **answers)
    Shell(project).succeed("make", *targets)
    return Project(project, project / ".venv")


def picture_timeline(page: Page) -> None:
    """Show the timeline, light and dark."""
    page.set_viewport_size(SIZE)
    page.goto("/")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=PICTURES / f"timeline-{scheme}.png")


def lighthouse(url: str, **headers: str) -> dict[str, float]:
    """Return the figures of a page, of which 1 is the best."""
    report = HERE.succeed(
        *LIGHTHOUSE,
        url,
        "--quiet",
        "--output=json",
        f"--chrome-flags=--headless=new {' '.join(FLAGS)}",
        f"--extra-headers={json.dumps(headers)}",
        CHROME_PATH=CHROMIUM or "",
    )
    return {name: found["score"] for name, found in json.loads(report)["categories"].items()}


def picture_crash(browser: Browser, project: Project) -> None:
    """Take a picture of the broken route beside its event in Spotlight."""
    with make_spotlight(project.folder) as started, browser.new_context(viewport=SIZE) as window:
        page = window.new_page()
        page.goto(f"{started.site}/broken_route")
        crash = page.screenshot()
        event_id = page.inner_text("code.event-id")
        page.goto(f"{started.spotlight}/telemetry/errors/{event_id}/details")
        page.locator("pre.shiki").first.wait_for()  # the source code has its colours
        side_by_side(browser, crash, page.screenshot())


def side_by_side(browser: Browser, *pictures: bytes) -> None:
    """Save pictures as one, the first at the left."""
    sources = [f"data:image/png;base64,{b64encode(picture).decode()}" for picture in pictures]
    images = "".join(f'<img src="{source}" width="{SIZE["width"]}">' for source in sources)
    size: ViewportSize = {"width": 2 * SIZE["width"], "height": SIZE["height"]}
    page = browser.new_page(viewport=size)
    page.set_content(f'<body style="margin: 0; display: flex">{images}</body>')
    page.screenshot(path=PICTURES / "broken-route.png")


def picture_trace(browser: Browser, project: Project) -> None:
    """Show the trace of the broken button in Spotlight, from the click to the query."""
    with (
        make_spotlight(project.folder) as started,
        browser.new_context(base_url=started.site, viewport=WIDE) as window,
    ):
        page = window.new_page()
        password = project.succeed("flask", "seed").split()[-1]
        Samples(started.site, password).log_in(page)
        page.wait_for_url("/")
        response = page.goto("/broken_button")
        assert response
        # A click before the page load has been sent would become a part of that trace.
        page.wait_for_event("response", lambda sent: sent.url.endswith("/browser/envelope"))
        with page.expect_event("pageerror"):
            page.click("button[data-breaks]")
        page.goto(f"{started.spotlight}/telemetry/traces/{response.headers['x-trace-id']}")
        for span in ("ui.action.click", "/broken_route"):
            row = page.get_by_role("link").filter(has_text=span)
            row.get_by_text(re.compile(r"^\d+$")).click()  # shows the spans below this one
        page.get_by_text("SELECT").nth(1).wait_for()
        page.mouse.move(0, 0)  # the row below the mouse has another colour
        page.screenshot(path=PICTURES / "trace.png", clip=SPANS, animations="disabled")


def picture_bake(folder: Path) -> None:
    """Record a bake, typed at the prompts, as an animated picture."""
    cast = folder / "bake.cast"
    header = {"version": 2, "width": COLUMNS, "height": ROWS}
    (folder / "terminal").mkdir()
    lines = [header, *record(Terminal(folder / "terminal"))]
    cast.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    HERE.succeed(*SVG_TERM, "--in", str(cast), "--out", str(PICTURES / "bake.svg"))


def record(terminal: Terminal) -> Iterator[tuple[float, str, str]]:
    """Bake, answering each prompt, and yield what the terminal shows and when."""
    clock = 0.0
    for text in ("\x1b[32m$\x1b[0m ", *COMMAND, "\r\n"):
        yield clock, "o", text
        clock += KEY
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    variables = {**terminal.variables, "TERM": "xterm-256color"}
    process = subprocess.Popen(
        COOKIECUTTER,
        cwd=terminal.folder,
        env=variables,
        stdin=follower,
        stdout=follower,
        stderr=follower,
    )
    os.close(follower)
    answers = iter(ANSWERS)
    shown = ""
    with suppress(OSError):  # the terminal has been closed
        while True:
            if shown.endswith(": "):  # a prompt
                clock += THOUGHT
                for key in next(answers, "") + "\n":
                    os.write(leader, key.encode())
                    clock += KEY
                    shown = os.read(leader, 4096).decode()
                    yield clock, "o", shown
            else:
                shown = os.read(leader, 4096).decode().replace(str(terminal.folder), "~")
                yield clock, "o", shown
    process.wait()
    yield clock + 4, "o", ""


if __name__ == "__main__":
    main()
