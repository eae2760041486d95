"""What a person does on the site."""

import re
from typing import Any

import requests

TIMEOUT = 20  # seconds, which is also `graceful_timeout` in gunicorn.conf.py
PASSWORD = {"password": "correct horse", "password2": "correct horse"}


def get(url: str) -> requests.Response:
    """Return the response to a GET request on a connection of its own."""
    return requests.get(url, timeout=TIMEOUT)


def submit(browser: requests.Session, url: str, **form: str) -> requests.Response:
    """Fill in and submit the form on a page."""
    token = csrf_token(browser.get(url, timeout=TIMEOUT))
    return browser.post(url, data={**form, "csrf_token": token}, timeout=TIMEOUT)


def csrf_token(page: requests.Response) -> str:
    """Return the token in a page's form."""
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert token, page.text
    return token[1]


def sign_up(site: str, name: str = "susan") -> requests.Session:
    """Return a browser in which a new user is logged in."""
    browser = requests.Session()
    # Threads use it while pytest changes the environment, in which requests looks for a proxy.
    browser.trust_env = False
    account = {"username": name, "email": f"{name}@example.com"}
    for page in ("register", "login"):
        submit(browser, f"{site}/auth/{page}", **account, **PASSWORD)
    return browser


def crash(site: str) -> str:
    """Open the broken route, and return the id of the event that the page shows."""
    [event_id] = re.findall(r'class="event-id">(\w+)<', get(f"{site}/broken_route").text)
    return str(event_id)


def register(person: Any, name: str) -> None:
    """Let a person, who presses buttons and types into fields, create an account."""
    person.press("Register")
    person.type("Username", name)
    person.type("Email", f"{name}@example.com")
    for label in ("Choose a password", "Repeat the password"):
        person.type(label, PASSWORD["password"])
    person.press("Register")
