"""A project that traces in the browser, in Chromium: what the browser sends, and where to."""

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page

from tests.support import sentry_api
from tests.support.commands import IDENTITY, Shell
from tests.support.sentry import Sink, sent
from tests.support.servers import Project
from tests.support.spotlight import Spotlighted, make_spotlight, see_trace
from tests.support.template import BODY
from tests.support.visitors import PASSWORD, sign_up, submit

pytestmark = pytest.mark.slow

PLACES = """about-me call cause console cookie fetched-path fetched-query fragment local-storage
    message name post property query referer rejection thrown-text title typed username"""
PLANTED = {place: f"planted-{place}" for place in PLACES.split()}
BREAK = """(planted) => {
  localStorage.setItem("note", planted["local-storage"]);
  document.cookie = `note=${planted.cookie}`;
  document.title = planted.title;
  location.hash = planted.fragment;
  console.error(planted.console);
  fetch(`/user/${planted["fetched-path"]}?q=${planted["fetched-query"]}`);
  const quoted = `${planted.message} ${document.body.innerText} ${location} ${document.cookie}`;
  const cause = new Error(planted.cause);
  setTimeout(() => { throw new Error(quoted, { cause }); });
  setTimeout(() => { throw planted["thrown-text"]; });
  setTimeout(() => { JSON.parse(document.querySelector("textarea").value); });
  setTimeout(() => { null[planted.property]; });
  setTimeout(() => { document.querySelector(`?${planted.call}`); });
  setTimeout(() => { throw new ReferenceError(`${planted.name} is not defined`); });
  Promise.reject({ rejection: planted.rejection, page: document.body.innerHTML });
}"""
BROKEN = 7  # errors that it makes

# Code that breaks, and the message that is sent of it.
MESSAGES = {
    "undefined.secret": "Cannot read properties of undefined (reading …)",
    "null.secret = 1": "Cannot set properties of null (setting …)",
    "const { secret } = null": "Cannot destructure property … as it is null.",
    "secret()": "… is not defined",
    "document.secret()": "… is not a function…",
    "new document.body()": "… is not a constructor…",
    "[...document]": "… is not iterable…",
    "JSON.parse('secret')": "Unexpected token …",
    "JSON.parse('')": "Unexpected end of JSON input",
    "JSON.parse('{secret')": "… in JSON at position …",
    "document.querySelector('?secret')": "Failed to execute …",
    "decodeURI('%')": "URI malformed",
    "throw { secret: 1 }": "Object captured as …",
    "throw new Error('secret')": None,
}
FIND_SOURCE = """
const { SourceMap } = require("module");
const [map, line, column] = process.argv.slice(1);
const payload = JSON.parse(require("fs").readFileSync(map));
const { originalSource, originalLine } = new SourceMap(payload).findEntry(line - 1, column - 1);
console.log(payload.sourcesContent[payload.sources.indexOf(originalSource)].split("\\n")[originalLine]);
"""


@pytest.fixture
def page(browser: Browser, traced_site: str, sentry: Sink) -> Iterator[Page]:
    """Return an empty window, before which Sentry forgets everything."""
    sentry.bodies.clear()
    window = browser.new_context(base_url=traced_site)
    yield window.new_page()
    window.close()


@pytest.fixture
def error(page: Page, sentry: Sink) -> Any:
    """Press the broken button, and return the error that the browser sends."""
    page.goto("/broken_button")
    page.click("button[data-breaks]")
    [error] = sent(sentry, "event")
    return error


def log_in(page: Page, username: str) -> None:
    """Fill in the log-in form."""
    page.goto("/auth/login")
    page.fill("[name=username]", username)
    page.fill("[name=password]", PASSWORD["password"])
    page.press("[name=password]", "Enter")
    page.wait_for_url("/")


def test_script_is_small(traced: Project) -> None:
    """The script has at most 60 kB when it is compressed."""
    script = (traced.folder / "app/static/browser.js").read_bytes()
    assert len(gzip.compress(script)) <= 60_000


def test_lock_names_no_registry() -> None:
    """The lock contains no URL, so that it works with any mirror of the registry."""
    assert "://" not in (BODY / "browser/package-lock.json").read_text("utf-8")


def test_page_load_continues_the_trace(page: Page, sentry: Sink) -> None:
    """The page load is a child of the request that the server traced."""
    response = page.goto("/auth/login")
    assert response
    [load] = sent(sentry, "transaction")
    [request] = [item for item in sentry.items("transaction") if item["platform"] == "python"]
    ours, theirs = load["contexts"]["trace"], request["contexts"]["trace"]
    assert ours["trace_id"] == theirs["trace_id"] == response.headers["x-trace-id"]
    assert ours["parent_span_id"] == theirs["span_id"]


def test_page_load_names_its_context(page: Page, sentry: Sink, traced_site: str) -> None:
    """A page load names its route, the release, the environment and the user's number."""
    sign_up(traced_site)
    log_in(page, "susan")
    page.goto("/user/susan")
    load = sent(sentry, "transaction", 3)[-1]
    assert load["transaction"] == "/user/<username>"
    assert (load["release"], load["environment"]) == ("microblog@1.2.3", "development")
    assert load["user"] == {"id": "1"}


def test_untraced_page_sends_errors_only(traced: Project, browser: Browser, sentry: Sink) -> None:
    """A page that the server does not trace sends no trace, but its errors have its trace id."""
    sentry.bodies.clear()
    with traced.serving(SENTRY_TRACES_SAMPLE_RATE="0") as gunicorn:
        page = browser.new_page()
        response = page.goto(f"{gunicorn.url}/broken_button")
        assert response
        page.click("button[data-breaks]")
        [error] = sent(sentry, "event")
        page.close()
    assert error["contexts"]["trace"]["trace_id"] == response.headers["x-trace-id"]
    assert sentry.items("transaction") == []


def thrown_at(event: dict[str, Any], traced: Project) -> str:
    """Return the line of the source that threw an error, as Sentry finds it by the source map."""
    frame = event["exception"]["values"][0]["stacktrace"]["frames"][-1]
    position = [str(frame["lineno"]), str(frame["colno"])]
    shell = Shell(traced.folder / "browser/build")
    return shell.succeed("../../.venv/bin/node", "-e", FIND_SOURCE, "browser.js.map", *position)


def test_map_leads_to_the_source(error: Any, traced: Project) -> None:
    """An error from the browser is mapped to the line of main.js that throws."""
    assert "BrokenButtonError" in thrown_at(error, traced)


def test_own_script_is_watched(page: Page, sentry: Sink, traced: Project) -> None:
    """An error of a script that main.js imports arrives, and is mapped to its line."""
    page.goto("/auth/login")
    page.evaluate("setTimeout(() => dispatchEvent(new Event('notes')))")
    [error] = sent(sentry, "event")
    assert thrown_at(error, traced).strip() == "document.nothing();"


def test_map_is_in_no_static_file(traced: Project) -> None:
    """The app serves no source map, and the script names none."""
    static = traced.folder / "app/static"
    assert list(static.glob("*.map")) == []
    assert "sourceMappingURL" not in (static / "browser.js").read_text("utf-8")


def test_release_has_the_map(traced: Project, error: Any, tmp_path: Path) -> None:
    """`bin/sentry release` uploads the source map under the debug id that errors have."""
    ignore = shutil.ignore_patterns(".venv", "node_modules")
    repository = Shell(shutil.copytree(traced.folder, tmp_path / "microblog", ignore=ignore))
    shutil.copytree(traced.folder / "browser/build", repository.folder / "browser/maps")
    tools = traced.folder / "browser/node_modules/.bin"
    repository.variables |= {**IDENTITY, "PATH": f"{tools}:{repository.variables['PATH']}"}
    repository.commit()
    repository.succeed("bin/release", "1.2.4")
    with sentry_api.Server("127.0.0.1", 0) as server:
        token = sentry_api.organization_token(server.url)
        repository.succeed("bin/sentry", "release", SENTRY_AUTH_TOKEN=token)
        [bundle] = server.sentry.bundles
    manifest = json.loads(bundle["manifest.json"])
    ids = {file["headers"]["debug-id"] for file in manifest["files"].values()}
    assert ids == {image["debug_id"] for image in error["debug_meta"]["images"]}


def test_messages_of_engines_are_sent(page: Page, sentry: Sink) -> None:
    """A message of the engine is sent without what it quotes, and no other message is sent."""
    page.goto("/auth/login")
    for number, code in enumerate(MESSAGES, start=1):
        page.evaluate("(code) => setTimeout(new Function(code))", code)
        sent(sentry, "event", number)
    errors = [event["exception"]["values"][0] for event in sent(sentry, "event")]
    assert dict(zip(MESSAGES, [error.get("value") for error in errors], strict=True)) == MESSAGES


def test_broken_button_says_what_it_did(page: Page, error: Any) -> None:
    """The page of the broken button says, after the click, where the two errors went."""
    page.get_by_role("status").get_by_text("Sentry has it").wait_for()


def test_broken_button_makes_two_errors(error: Any, sentry: Sink) -> None:
    """The broken button makes two errors in one trace."""
    [there] = [event for event in sentry.items("event") if event["platform"] == "python"]
    assert error["exception"]["values"][0]["type"] == "BrokenButtonError"
    assert there["exception"]["values"][-1]["type"] == "ZeroDivisionError"
    assert error["contexts"]["trace"]["trace_id"] == there["contexts"]["trace"]["trace_id"]


@pytest.fixture(scope="module")
def spotlighted(traced: Project) -> Iterator[Spotlighted]:
    """Run `make spotlight`."""
    with make_spotlight(traced.folder) as started:
        yield started


def test_broken_button_shows_in_spotlight(spotlighted: Spotlighted, browser: Browser) -> None:
    """Without an account, a person sees both errors side by side, and the click in their trace."""
    page = browser.new_page()
    response = page.goto(f"{spotlighted.site}/broken_button")
    assert response
    with page.expect_event("pageerror"):
        page.click("button[data-breaks]")
    page.goto(f"{spotlighted.spotlight}/telemetry/errors")
    page.get_by_text("BrokenButtonError").first.wait_for()
    page.get_by_text("ZeroDivisionError").first.wait_for()
    page.goto(f"{spotlighted.spotlight}/telemetry/traces/{response.headers['x-trace-id']}")
    page.get_by_text("ui.action.click").first.wait_for()
    page.close()


def test_page_load_shows_in_spotlight(spotlighted: Spotlighted, browser: Browser) -> None:
    """The load of a page is a part of the trace on Spotlight's page."""
    page = browser.new_page()
    response = page.goto(f"{spotlighted.site}/auth/login")
    assert response
    see_trace(browser, spotlighted.spotlight, response.headers["x-trace-id"], transactions=2)
    page.close()


def test_feedback_arrives(page: Page, sentry: Sink) -> None:
    """The text that a person types on the page of a crash arrives with the id of the event."""
    page.goto("/broken_route")
    page.get_by_label("What were you doing?").fill("I opened it to see what happens.")
    page.get_by_role("button", name="Send").click()
    page.get_by_text("Thank you").wait_for()
    assert page.get_by_role("textbox").count() == 0
    [feedback] = sent(sentry, "feedback")
    assert feedback["contexts"]["feedback"] == {
        "message": "I opened it to see what happens.",
        "associated_event_id": page.inner_text("code.event-id"),
    }


def test_browser_asks_no_other_host(page: Page, traced_site: str, sentry: Sink) -> None:
    """The browser sends its envelopes to the site itself, which forwards them."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    page.goto("/broken_button")
    page.click("button[data-breaks]")
    sent(sentry, "event")
    assert [url for url in urls if not url.startswith(f"{traced_site}/")] == []


def test_script_obeys_the_policy(page: Page, sentry: Sink) -> None:
    """The browser reports no violation of the Content-Security-Policy."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto("/broken_route")
    page.goto("/broken_button")
    sent(sentry, "transaction", 2)
    assert [text for text in messages if "Content Security Policy" in text] == []


def test_nothing_planted_leaves(page: Page, sentry: Sink, traced_site: str) -> None:
    """Sentry receives none of the secrets that a page and its errors contain."""
    person = sign_up(traced_site, PLANTED["username"])
    submit(person, f"{traced_site}/edit_profile", about_me=PLANTED["about-me"])
    submit(person, f"{traced_site}/", post=PLANTED["post"])
    sentry.bodies.clear()
    log_in(page, PLANTED["username"])
    page.goto(f"/user/{PLANTED['username']}?{urlencode({'q': PLANTED['referer']})}")
    page.goto(f"/edit_profile?{urlencode({'q': PLANTED['query']})}")
    page.fill("textarea", PLANTED["typed"])
    page.evaluate(BREAK, PLANTED)
    sent(sentry, "event", BROKEN)
    sent(sentry, "transaction", 4)
    received = b"".join(map(gzip.decompress, sentry.bodies)).decode()
    assert [place for place, secret in PLANTED.items() if secret in received] == []
