"""The pages of the baked project in a real browser, as wide as a phone and as a desktop."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.commands import Shell
from tests.support.servers import Project
from tests.support.visitors import get, sign_up, submit

pytestmark = pytest.mark.slow

HTML_RULES = {
    "root": True,
    "extends": ["html-validate:recommended"],
    "rules": {"doctype-style": "off", "no-trailing-whitespace": "off"},  # matters of taste
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.fixture(scope="module")
def paths(project: Project, site: str) -> list[str]:
    """Return the paths of all pages: routes that answer GET with HTML, and an unknown path."""
    routes = re.findall(r"\bGET\b.* (/\S*) *$", project.succeed("flask", "routes"), re.M)
    filled = [route.replace("<username>", "susan") for route in routes if "<path:" not in route]
    kinds = {path: get(f"{site}{path}").headers["Content-Type"] for path in filled}
    return [*(path for path, kind in kinds.items() if kind.startswith("text/html")), "/nowhere"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the system's Chromium; skip the test where there is none, except in CI."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if not path and not os.environ.get("CI"):
        pytest.skip("there is no Chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module", params=[390, 1280])
def page(request: pytest.FixtureRequest, browser: Browser, site: str) -> Iterator[Page]:
    """Return a window in which susan is logged in."""
    cookies = sign_up(site).cookies.items()
    window = browser.new_context(viewport={"width": request.param, "height": 844}, base_url=site)
    window.add_cookies([{"name": n, "value": v, "url": site} for n, v in cookies if v])
    yield window.new_page()
    window.close()


def test_every_kind_of_page_is_tested(paths: list[str]) -> None:
    """The list of pages has the timeline, a profile and the crash."""
    assert {"/", "/user/susan", "/broken_route"} <= set(paths)


def test_pages_fit_the_width(page: Page, paths: list[str]) -> None:
    """No page needs to be scrolled sideways."""
    wide = []
    for path in paths:
        page.goto(path)
        if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            wide.append(path)
    assert wide == []


def test_pages_ask_no_other_host(page: Page, site: str, paths: list[str]) -> None:
    """A page makes requests to its own host only."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    for path in paths:
        page.goto(path)
    assert [url for url in urls if not url.startswith(f"{site}/")] == []


def test_pages_obey_their_policy(page: Page, paths: list[str]) -> None:
    """The browser reports no violation of the Content-Security-Policy."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    for path in paths:
        page.goto(path)
    assert [text for text in messages if "Content Security Policy" in text] == []


def test_pages_are_valid_html(site: str, paths: list[str], tmp_path: Path) -> None:
    """All pages, of a stranger and of a user, are valid HTML, and so are rejected forms."""
    stranger, susan = requests.Session(), sign_up(site)
    submit(susan, site, post="Hello @susan, see https://example.com")
    pages = [browser.get(f"{site}{path}") for browser in (stranger, susan) for path in paths]
    pages += [submit(stranger, f"{site}/auth/register"), submit(susan, site, post="")]
    for number, page in enumerate(pages):
        tmp_path.joinpath(f"{number}.html").write_text(page.text, "utf-8")
    tmp_path.joinpath(".htmlvalidate.json").write_text(json.dumps(HTML_RULES), "utf-8")
    checker = ("npx", "--yes", "html-validate@10.9.0", "--formatter", "text", "*.html")
    result = Shell(tmp_path).run(*checker)
    assert (result.stdout, result.returncode) == ("", 0)


def test_event_id_is_selected_by_one_click(page: Page) -> None:
    """A click selects the whole id on the 500 page, so that it is easy to copy."""
    page.goto("/broken_route")
    page.click("code.event-id")
    assert page.evaluate("getSelection().toString()") == page.inner_text("code.event-id")
