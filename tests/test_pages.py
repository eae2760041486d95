"""The pages of the baked project in a real browser, as wide as a phone and as a desktop."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.support.browsers import Samples, serving_samples
from tests.support.commands import Shell
from tests.support.servers import Project
from tests.support.visitors import PASSWORD, get, register

pytestmark = pytest.mark.slow

AXE = "axe-core@4.14.1"  # checks what people with a disability need
VALIDATE = ("npx", "--yes", "html-validate@9.7.1", "--preset", "standard", ".")  # runs on Node 20
WINDOWS = [  # each two of a visitor, a width and a colour scheme are together in one of them
    *[("susan", 320, "light"), ("stranger", 320, "dark")],
    *[("susan", 1280, "dark"), ("stranger", 1280, "light")],
]


@pytest.fixture(scope="module")
def samples(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Samples]:
    """Return the served project with its sample users and posts."""
    with serving_samples(project, tmp_path_factory.mktemp("samples")) as samples:
        yield samples


@pytest.fixture(scope="module")
def paths(project: Project, samples: Samples) -> list[str]:
    """Return the paths of all pages: routes that answer GET with HTML, and an unknown path."""
    [post, *_] = re.findall(r"/post/(\d+)", get(f"{samples.url}/user/susan").text)
    routes = re.findall(r"\bGET\b.* (/\S*) *$", project.succeed("flask", "routes"), re.M)
    filled = [
        re.sub(r"<int\S*?:post_id>", post, route).replace("<username>", "susan")
        for route in routes
        if "<path:" not in route
    ]
    kinds = {path: get(f"{samples.url}{path}").headers["Content-Type"] for path in filled}
    return [*(path for path, kind in kinds.items() if kind.startswith("text/html")), "/nowhere"]


@pytest.fixture(scope="module")
def axe(npx: None, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the script of axe."""
    folder = tmp_path_factory.mktemp("axe")
    Shell(folder).succeed("npm", "install", "--no-audit", "--no-fund", AXE)
    return (folder / "node_modules/axe-core/axe.min.js").read_text("utf-8")


@dataclass
class Visit:
    """What a browser saw of a page."""

    path: str
    html: str
    fits: bool
    hosts: set[str]
    messages: list[str]
    violations: list[str]


def visit(page: Page, path: str, axe: str) -> Visit | None:
    """Open a page and let axe check it, unless it redirects to another page."""
    hosts: set[str] = set()
    messages: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: messages.append(message.text))
    response = page.goto(path)
    assert response
    if urlsplit(page.url).path != path:
        return None
    fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.evaluate(axe)
    violations = page.evaluate("axe.run().then((found) => found.violations.map((v) => v.help))")
    return Visit(path, response.text(), fits, hosts, messages, violations)


@pytest.fixture(scope="module", params=WINDOWS, ids=lambda window: "-".join(map(str, window)))
def visits(
    request: pytest.FixtureRequest, browser: Browser, samples: Samples, paths: list[str], axe: str
) -> list[Visit]:
    """Return what a visitor sees of all pages, in a window of some width and colour scheme."""
    visitor, width, scheme = request.param
    with browser.new_context(
        base_url=samples.url, viewport={"width": width, "height": 800}, color_scheme=scheme
    ) as window:
        if visitor == "susan":
            samples.log_in(window.new_page())
        visits = [visit(window.new_page(), path, axe) for path in paths]
    return [seen for seen in visits if seen]


def test_every_kind_of_page_is_tested(paths: list[str]) -> None:
    """The list of pages has the timeline, a profile, a post and the crash."""
    assert {"/", "/user/susan", "/broken_route"} <= set(paths)
    assert any(re.match(r"/post/\d+$", path) for path in paths)


def test_pages_fit_the_width(visits: list[Visit]) -> None:
    """No page needs to be scrolled sideways."""
    assert [visit.path for visit in visits if not visit.fits] == []


def test_pages_ask_no_other_host(visits: list[Visit], samples: Samples) -> None:
    """A page makes requests to its own host only."""
    assert {host for visit in visits for host in visit.hosts} == {urlsplit(samples.url).netloc}


def test_pages_obey_their_policy(visits: list[Visit]) -> None:
    """The browser reports no violation of the Content-Security-Policy."""
    messages = [text for visit in visits for text in visit.messages]
    assert [text for text in messages if "Content Security Policy" in text] == []


def test_pages_are_accessible(visits: list[Visit]) -> None:
    """Axe finds no obstacle for people with a disability."""
    assert {visit.path: visit.violations for visit in visits if visit.violations} == {}


@pytest.mark.parametrize("visits", WINDOWS[:2], indirect=True, ids=["susan", "stranger"])
def test_pages_are_valid(visits: list[Visit], tmp_path: Path) -> None:
    """Each page is valid HTML."""
    for number, visit in enumerate(visits):
        (tmp_path / f"{number}.html").write_text(visit.html, "utf-8")
    result = Shell(tmp_path).run(*VALIDATE)
    assert (result.stdout, result.returncode) == ("", 0)


@pytest.fixture
def phone(browser: Browser, samples: Samples) -> Iterator[Page]:
    """Return an empty window of a phone."""
    size: ViewportSize = {"width": 390, "height": 844}
    with browser.new_context(base_url=samples.url, viewport=size) as window:
        yield window.new_page()


def test_navigation_has_two_lines(phone: Page, samples: Samples) -> None:
    """On the smallest phone, all links and the button to log out need no third line."""
    samples.log_in(phone)
    phone.set_viewport_size({"width": 320, "height": 800})
    places = [link.bounding_box() for link in phone.locator(".bar a, .bar button").all()]
    assert len({place["y"] // 20 for place in places if place}) == 2


def test_event_id_is_selected_by_one_click(phone: Page) -> None:
    """A click selects the whole id on the 500 page, so that it is easy to copy."""
    phone.goto("/broken_route")
    phone.click("code.event-id")
    assert phone.evaluate("getSelection().toString()") == phone.inner_text("code.event-id")


@dataclass
class Keyboard:
    """A person who uses no mouse."""

    page: Page

    def go(self, name: str) -> None:
        """Press Tab until the link, button or field of that name has the focus."""
        focused = "(document.activeElement.labels?.[0] ?? document.activeElement).innerText"
        for _ in range(200):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(focused).strip() == name:
                return
        raise AssertionError(f"Tab does not reach {name}")

    def press(self, name: str) -> None:
        """Use a link or a button, and wait for the page that it leads to."""
        self.go(name)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type(self, name: str, text: str) -> None:
        """Type a text into a field."""
        self.go(name)
        self.page.keyboard.type(text)

    def first_post(self) -> str:
        """Return the text of the first post on the page."""
        return self.page.get_by_role("article").first.locator(".body").inner_text()

    def sees(self, text: str) -> None:
        """Fail unless the page shows a text."""
        expect(self.page.get_by_role("main")).to_contain_text(text)


@pytest.fixture
def newcomer(phone: Page, request: pytest.FixtureRequest) -> Keyboard:
    """Return a person who has just registered, beginning at the front page."""
    keyboard = Keyboard(phone)
    phone.goto("/")
    register(keyboard, request.node.name.replace("_", "")[4:34])
    keyboard.sees("What's on your mind?")
    return keyboard


def test_page_back_by_keyboard(newcomer: Keyboard) -> None:
    """The Tab and Enter keys suffice to go to older posts, and back to the newest."""
    newcomer.press("Explore")
    newest = newcomer.first_post()
    newcomer.press("Older →")
    assert newcomer.first_post() != newest
    newcomer.press("Newest")
    assert newcomer.first_post() == newest


def test_delete_by_keyboard(newcomer: Keyboard) -> None:
    """A post is deleted after the person has confirmed it, and is kept otherwise."""
    newcomer.type("What's on your mind?", "I regret this.")
    newcomer.press("Post")
    newcomer.press("Delete")
    newcomer.press("Keep it")
    newcomer.sees("I regret this.")
    newcomer.press("Delete")
    newcomer.press("Delete for good")
    newcomer.sees("Your post is deleted.")


def test_account_by_keyboard(newcomer: Keyboard) -> None:
    """The Tab and Enter keys suffice to change the password, and to log out everywhere."""
    newcomer.press("Profile")
    newcomer.press("Account")
    newcomer.press("Change your password")
    newcomer.type("Current password", PASSWORD["password"])
    newcomer.type("Choose a password", "battery staple")
    newcomer.type("Repeat the password", "battery staple")
    newcomer.press("Change password")
    newcomer.sees("Your password is changed.")
    newcomer.press("Log out everywhere")
    newcomer.sees("You are logged out everywhere.")


def test_counter_counts_characters(newcomer: Keyboard) -> None:
    """The counter below a text counts an emoji as one character, and no space around the text."""
    newcomer.type("What's on your mind?", "  🙈👍 ")
    newcomer.sees("138 left")


def test_counter_agrees_with_server(newcomer: Keyboard) -> None:
    """The server accepts a text when the counter says that 0 characters are left."""
    newcomer.type("What's on your mind?", "🙈" * 140)
    newcomer.sees("0 left")
    newcomer.press("Post")
    newcomer.sees("Your post is live.")


def test_long_text_is_not_sent(newcomer: Keyboard) -> None:
    """A text that is too long stays in the form, and the counter says by how much."""
    newcomer.type("What's on your mind?", "x" * 143)
    newcomer.go("Post")
    newcomer.page.keyboard.press("Enter")
    newcomer.sees("3 too many")


def test_ctrl_enter_posts(newcomer: Keyboard) -> None:
    """Ctrl+Enter in the form of a post publishes it."""
    newcomer.type("What's on your mind?", "Sent by Ctrl+Enter.")
    newcomer.page.keyboard.press("Control+Enter")
    newcomer.sees("Your post is live.")


def test_link_is_copied(phone: Page, samples: Samples) -> None:
    """The button on the page of a post copies its URL."""
    phone.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=samples.url)
    phone.goto("/post/1")
    phone.get_by_role("button", name="Copy link").click()
    phone.get_by_role("button", name="Copied").wait_for()
    assert phone.evaluate("navigator.clipboard.readText()") == f"{samples.url}/post/1"


def test_print_has_no_buttons(phone: Page) -> None:
    """Paper has what a page says, and no buttons or links to other pages of the list."""
    phone.goto("/explore")
    expect(phone.get_by_role("link", name="Older")).to_be_visible()
    phone.emulate_media(media="print")
    expect(phone.get_by_role("link", name="Older")).to_be_hidden()
    expect(phone.get_by_role("article").first).to_be_visible()


def test_pages_work_without_javascript(browser: Browser, samples: Samples) -> None:
    """Without JavaScript, people can log in, post and read the rule for a text."""
    with browser.new_context(base_url=samples.url, java_script_enabled=False) as window:
        page = window.new_page()
        samples.log_in(page)
        expect(page.get_by_text("At most 140 characters.")).to_be_visible()
        page.get_by_label("What's on your mind?").fill("I need no script.")
        page.get_by_role("button", name="Post").click()
        expect(page.get_by_role("article").first).to_contain_text("I need no script.")
        page.goto("/post/1")
        expect(page.get_by_role("button", name="Copy link")).to_be_hidden()
