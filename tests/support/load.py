"""Constant load on the app: people who post and read, each request to any replica.

This runs in a container of the app's image, next to the app, and prints a line of JSON for each
request: the post that it sent, whether it succeeded, its outcome, and the seconds that it took.
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
    """A browser that closes each connection, so that each request may reach another replica."""

    def __init__(self, name: str) -> None:
        """Register an account and log in."""
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
        """Make a request to a replica, and return the response's status."""
        replicas = socket.getaddrinfo("web", 8000, socket.AF_INET, socket.SOCK_STREAM)
        host = str(random.choice(replicas)[4][0])  # noqa: S311
        connection = http.client.HTTPConnection(host, 8000, timeout=10)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode({**form, "csrf_token": self.token}) if form is not None else None
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        page = response.read().decode()
        connection.close()
        for cookie in response.headers.get_all("Set-Cookie", []):
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        if token := re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page):
            self.token = token[1]
        return response.status

    def use(self) -> None:
        """Post and read until the process ends, and report each request."""
        number = 0
        while True:
            number += 1
            post = f"{self.name}-{number}"
            self.report(post, 302, "POST", "/", {"post": post})
            self.report("", 200, "GET", "/")

    def report(self, post: str, expected: int, *request: object) -> None:
        """Make a request, and print its outcome."""
        start = time.monotonic()
        try:
            outcome = str(status := self.request(*request))  # type: ignore[arg-type]
            good = status == expected
        except (OSError, http.client.HTTPException) as error:
            outcome, good = repr(error), False
        line = json.dumps([post, good, outcome, time.monotonic() - start]) + "\n"
        print(line, end="", flush=True)  # one write, because other threads print too
        time.sleep(PAUSE)


if __name__ == "__main__":
    for number in range(PEOPLE):
        threading.Thread(target=Person(f"person{number}").use).start()
