"""The pages of the baked project in a real browser, at the width of a phone and of a desk."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from servers import sign_up

pytestmark = pytest.mark.slow

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
PAGES = ["/", "/explore", "/user/susan", "/edit_profile", "/nowhere", "/broken_route"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Return the system's Chromium; skip where there is none, but not in CI."""
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


@pytest.mark.parametrize("path", PAGES)
def test_page_fits_the_width(page: Page, path: str) -> None:
    """Nobody has to scroll sideways."""
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("path", PAGES)
def test_page_stays_at_home(page: Page, site: str, path: str) -> None:
    """A page asks no other host for anything."""
    hosts = []
    page.on("request", lambda request: hosts.append(request.url.startswith(f"{site}/")))
    page.goto(path)
    assert all(hosts)


@pytest.mark.parametrize("path", PAGES)
def test_page_keeps_its_own_policy(page: Page, path: str) -> None:
    """The browser finds nothing that the Content-Security-Policy forbids."""
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(path)
    assert [text for text in complaints if "Content Security Policy" in text] == []


def test_event_id_is_selected_by_one_click(page: Page) -> None:
    """The id on the 500 page is easy to copy."""
    page.goto("/broken_route")
    page.click("code.event-id")
    assert page.evaluate("getSelection().toString()") == page.inner_text("code.event-id")
