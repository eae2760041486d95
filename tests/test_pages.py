"""The pages of the baked project in a real browser, as wide as a phone and as a desktop."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.servers import Project
from tests.support.visitors import get, sign_up

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def paths(project: Project, site: str) -> list[str]:
    """Return the paths of all pages: routes that answer GET with HTML, and an unknown path."""
    routes = re.findall(r"\bGET\b.* (/\S*) *$", project.succeed("flask", "routes"), re.M)
    filled = [route.replace("<username>", "susan") for route in routes if "<path:" not in route]
    kinds = {path: get(f"{site}{path}").headers["Content-Type"] for path in filled}
    return [*(path for path, kind in kinds.items() if kind.startswith("text/html")), "/nowhere"]


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


def test_event_id_is_selected_by_one_click(page: Page) -> None:
    """A click selects the whole id on the 500 page, so that it is easy to copy."""
    page.goto("/broken_route")
    page.click("code.event-id")
    assert page.evaluate("getSelection().toString()") == page.inner_text("code.event-id")
