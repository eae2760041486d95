"""Constant load on a site: people who post and read."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from threading import Event, Thread
from typing import NamedTuple

import requests

from tests.support.visitors import TIMEOUT, csrf_token, sign_up

PEOPLE = 5
PAUSE = 0.03  # seconds between two requests of a person


class Request(NamedTuple):
    """What became of a request; `post` is empty unless it sent one."""

    post: str
    succeeded: bool
    outcome: str
    seconds: float


@dataclass
class Load:
    """People who use a site until the `with` block ends."""

    site: str
    seen: list[Request] = field(default_factory=list)
    ended: Event = field(default_factory=Event)

    def __enter__(self) -> "Load":
        """Start, and wait until everybody has an account."""
        browsers = [sign_up(self.site, f"person{number}") for number in range(PEOPLE)]
        self.people = [Thread(target=self.use, args=person) for person in enumerate(browsers)]
        for person in self.people:
            person.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.ended.set()
        for person in self.people:
            person.join()

    def use(self, person: int, browser: requests.Session) -> None:
        """Post and read in turns."""
        token = csrf_token(browser.get(self.site, timeout=TIMEOUT))
        options = {"timeout": TIMEOUT, "allow_redirects": False}
        for number in count():
            if self.ended.is_set():
                return
            form = {"csrf_token": token, "post": f"{person}-{number}"}
            self.record(form["post"], 302, lambda: browser.post(self.site, form, **options))
            self.record("", 200, lambda: browser.get(self.site, **options))

    def record(self, post: str, expected: int, send: Callable[[], requests.Response]) -> None:
        """Send a request, and record its outcome."""
        start = time.monotonic()
        try:
            status = send().status_code
            succeeded, outcome = status == expected, str(status)
        except requests.RequestException as error:
            succeeded, outcome = False, repr(error)
        self.seen.append(Request(post, succeeded, outcome, time.monotonic() - start))
        time.sleep(PAUSE)

    def during(self, act: Callable[[], object]) -> list[Request]:
        """Return the requests that end during an action, or within a second before or after it."""
        start = len(self.seen)
        time.sleep(1)
        act()
        time.sleep(1)
        return self.seen[start:]

    def acknowledged(self) -> set[str]:
        """Return the posts that the app has accepted."""
        return {request.post for request in self.seen if request.post and request.succeeded}
