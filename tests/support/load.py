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
    pause: float = PAUSE
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
        for number in count():
            if self.ended.is_set():
                return
            self.send(browser, "POST", {"csrf_token": token, "post": f"{person}-{number}"})
            self.send(browser, "GET", {})

    def send(self, browser: requests.Session, method: str, form: dict[str, str]) -> None:
        """Send a request, and record its outcome."""
        start = time.monotonic()
        try:
            response = browser.request(
                method, self.site, data=form, timeout=TIMEOUT, allow_redirects=False
            )
            succeeded = response.ok and response.is_redirect == bool(form)
            outcome = str(response)
        except requests.RequestException as error:
            succeeded, outcome = False, repr(error)
        seconds = time.monotonic() - start
        self.seen.append(Request(form.get("post", ""), succeeded, outcome, seconds))
        time.sleep(self.pause)

    def during(self, act: Callable[[], object]) -> list[Request]:
        """Return the requests that end during an action, or within a second after it.

        A second passes first, in which requests end that an earlier action may have hurt.
        """
        time.sleep(1)
        start = len(self.seen)
        act()
        time.sleep(1)
        return self.seen[start:]

    def acknowledged(self) -> set[str]:
        """Return the posts that the app has accepted."""
        return {request.post for request in self.seen if request.post and request.succeeded}
