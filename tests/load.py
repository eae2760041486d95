"""Constant load on the app: people who post and read, each request to any replica.

Runs in a container of the app's image, next to the app, and prints a line of JSON for each
request: what it was, whether it succeeded, how it ended, and its seconds.
"""

import http.client
import json
import random
import re
import socket
import threading
import time
from urllib.parse import urlencode

PEOPLE = 3
PAUSE = 0.03  # seconds between two requests of a person


class Person:
    """A browser that keeps no connection, so each request may meet another replica."""

    def __init__(self, name: str) -> None:
        """Have an account, and log in."""
        self.name = name
        self.cookies: dict[str, str] = {}
        self.token = ""
        account = {"username": name, "email": f"{name}@example.com"}
        password = {"password": "correct horse", "password2": "correct horse"}
        for path in ("/auth/register", "/auth/login"):
            self.request("GET", path)
            status = self.request("POST", path, account | password)
            assert status == 302, (path, status)
        self.request("GET", "/")

    def request(self, method: str, path: str, form: dict[str, str] | None = None) -> int:
        """Return the status of a replica's answer."""
        replicas = socket.getaddrinfo("web", 8000, socket.AF_INET, socket.SOCK_STREAM)
        host = str(random.choice(replicas)[4][0])  # noqa: S311
        connection = http.client.HTTPConnection(host, 8000, timeout=10)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode({**form, "csrf_token": self.token}) if form is not None else None
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        connection.close()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        if token := re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page):
            self.token = token[1]
        return answer.status

    def use(self) -> None:
        """Post and read for ever, and say how that went."""
        number = 0
        while True:
            number += 1
            self.report(
                f"{self.name}-{number}", 302, "POST", "/", {"post": f"{self.name}-{number}"}
            )
            self.report("", 200, "GET", "/")

    def report(self, post: str, expected: int, *request: object) -> None:
        """Make a request, and print what became of it."""
        start = time.monotonic()
        try:
            outcome = str(status := self.request(*request))  # type: ignore[arg-type]
            good = status == expected
        except (OSError, http.client.HTTPException) as error:
            outcome, good = repr(error), False
        line = json.dumps([post, good, outcome, time.monotonic() - start]) + "\n"
        print(line, end="", flush=True)  # in one piece, as others print too
        time.sleep(PAUSE)


for number in range(PEOPLE):
    threading.Thread(target=Person(f"person{number}").use).start()
