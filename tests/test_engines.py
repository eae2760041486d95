"""What people do, in Firefox and in WebKit: with a mouse, with keys only, and without scripts."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from tests.support.commands import skip_unless_ci
from tests.support.sentry import Sink, sent
from tests.support.visitors import register, sign_up
from tests.support.webdriver import PROGRAMS, Engine, Person, Typist, firefox, webkit

pytestmark = pytest.mark.slow

WAYS: dict[str, tuple[Callable[[Path], AbstractContextManager[Engine]], type[Person]]] = {
    "Firefox": (firefox, Person),
    "Firefox, keys": (firefox, Typist),
    "Firefox, no script": (partial(firefox, script=False), Person),
    "WebKit": (webkit, Person),
    "WebKit, keys": (webkit, Typist),
}
with_script = pytest.mark.parametrize(
    "person", [way for way in WAYS if "no script" not in way], indirect=True
)


@pytest.fixture(scope="module")
def david(traced_site: str) -> None:
    """Register david, who can be followed."""
    sign_up(traced_site, "david")


@pytest.fixture(scope="module", params=WAYS)
def person(
    request: pytest.FixtureRequest, traced_site: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Person]:
    """Return a person with a browser; skip the test where there is none, except in CI."""
    name = request.param.split(",")[0]
    if not PROGRAMS[name]:
        skip_unless_ci(f"there is no {name}")
    run, kind = WAYS[request.param]
    with run(tmp_path_factory.mktemp("profile")) as engine:
        yield kind(engine, traced_site)


def test_people_register_post_and_follow(
    person: Person, david: None, request: pytest.FixtureRequest
) -> None:
    """A person registers, posts, follows somebody, and logs out."""
    name = "".join(filter(str.isalpha, request.node.callspec.params["person"]))
    person.open("/")
    register(person, name)
    person.type("What's on your mind?", f"I use {name}.")
    person.press("Post")
    person.sees("Your post is live.")
    person.open("/user/david")
    person.press("Follow")
    person.sees("You are now following david.")
    person.press("Log out")
    person.sees("You are logged out.")


@with_script
def test_broken_button_reports(person: Person, sentry: Sink) -> None:
    """The broken button makes an error in the browser and one on the server, in one trace."""
    sentry.bodies.clear()
    person.open("/broken_button")
    person.press("Break both")
    [here] = sent(sentry, "event")
    [there] = [event for event in sentry.items("event") if event["platform"] == "python"]
    assert here["exception"]["values"][0]["type"] == "BrokenButtonError"
    assert here["contexts"]["trace"]["trace_id"] == there["contexts"]["trace"]["trace_id"]


@with_script
def test_feedback_arrives(person: Person, sentry: Sink) -> None:
    """What a person types on the page of a crash arrives."""
    sentry.bodies.clear()
    person.open("/broken_route")
    person.type("What were you doing?", "I looked around.")
    person.press("Send")
    person.sees("Thank you.")
    [feedback] = sent(sentry, "feedback")
    assert feedback["contexts"]["feedback"]["message"] == "I looked around."
