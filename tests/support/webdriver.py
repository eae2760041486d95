"""Firefox, and WebKit, which is Safari's engine, by the WebDriver protocol.

Firefox reads the commands from a socket (Marionette) and WebKit's driver by HTTP, so that
neither needs a package or a program that no distribution has.
"""

import json
import os
import shutil
import socket
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedRWPair
from pathlib import Path
from typing import Any

import requests

from tests.support.servers import PATIENCE, free_port, wait_for

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
WEBKIT = shutil.which("WebKitWebDriver") if shutil.which("Xvfb") else None
PROGRAMS = {"Firefox": FIREFOX, "WebKit": WEBKIT}

PREFERENCES = """\
user_pref("marionette.port", 0);
user_pref("javascript.enabled", %s);
"""
TAB, ENTER = "\ue004", "\ue007"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the key of an element's id, in the standard


class Engine(ABC):
    """A browser that obeys commands of the WebDriver protocol."""

    @abstractmethod
    def command(self, name: str, **parameters: Any) -> Any:
        """Give a command and return its result; raise LookupError if the browser refuses it."""

    def find(self, xpath: str) -> str:
        """Return the id of the first element that the XPath finds, once there is one."""

        def look() -> str | None:
            with suppress(LookupError):  # another page may be about to replace this one
                return str(self.command("FindElement", using="xpath", value=xpath)[ELEMENT])
            return None

        return str(wait_for(look, xpath))


class Marionette(Engine):
    """Firefox."""

    def __init__(self, stream: BufferedRWPair) -> None:
        """Read Firefox's greeting, and start a session."""
        self.stream = stream
        self.read()
        self.command("NewSession")

    def command(self, name: str, **parameters: Any) -> Any:
        """Send the length of a message, and the message."""
        message = json.dumps([0, 1, f"WebDriver:{name}", parameters]).encode()
        self.stream.write(b"%d:%s" % (len(message), message))
        self.stream.flush()
        _, _, error, result = self.read()
        if error:
            raise LookupError(error)
        return result.get("value")

    def read(self) -> Any:
        """Read a message."""
        length = b""
        while (digit := self.stream.read(1)) != b":":
            length += digit
        return json.loads(self.stream.read(int(length)))


class WebKit(Engine):
    """WebKit's driver, with its MiniBrowser."""

    def __init__(self, url: str) -> None:
        """Start a session."""
        self.url = f"{url}/session"
        session = self.request("POST", self.url, {"capabilities": {}})["sessionId"]
        self.url += f"/{session}/"

    def command(self, name: str, **parameters: Any) -> Any:
        """Send the parameters to the URL of a command."""
        path = {
            "Navigate": "url",
            "FindElement": "element",
            "ElementClick": "element/{id}/click",
            "ElementSendKeys": "element/{id}/value",
            "PerformActions": "actions",
            "GetActiveElement": "element/active",
            "GetComputedLabel": "element/{id}/computedlabel",
            "DeleteSession": "",
        }[name].format_map(parameters)
        method = {"Get": "GET", "Del": "DELETE"}.get(name[:3], "POST")
        return self.request(method, (self.url + path).rstrip("/"), parameters)

    def request(self, method: str, url: str, body: dict[str, Any]) -> Any:
        """Make a request and return the value of its response."""
        response = requests.request(
            method, url, json=body if method == "POST" else None, timeout=PATIENCE
        )
        if not response.ok:
            raise LookupError(response.text)
        return response.json()["value"]


@contextmanager
def running(*command: str | Path, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the block ends."""
    with subprocess.Popen(command, **more) as process:
        try:
            yield process
        finally:
            process.terminate()


@contextmanager
def firefox(folder: Path, *, script: bool = True) -> Iterator[Engine]:
    """Run Firefox without a window, with JavaScript or without, until the block ends."""
    (folder / "user.js").write_text(PREFERENCES % json.dumps(script))
    options = ("--headless", "--marionette", "--no-remote", "--profile", folder)
    port = folder / "MarionetteActivePort"
    with running(str(FIREFOX), *options, env=os.environ | {"HOME": str(folder)}):
        wait_for(lambda: port.exists() and port.read_text(), "Firefox")
        with socket.create_connection(("127.0.0.1", int(port.read_text()))) as connection:
            yield Marionette(connection.makefile("rwb"))


@contextmanager
def webkit(folder: Path) -> Iterator[Engine]:
    """Run WebKit on a screen that nobody sees, until the block ends."""
    port = str(free_port())
    reader, writer = os.pipe()
    with running("Xvfb", "-displayfd", str(writer), "-nolisten", "tcp", pass_fds=[writer]):
        display = f":{os.read(reader, 10).decode().strip()}"
        own = {"DISPLAY": display, "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
        with running(str(WEBKIT), f"--port={port}", env=os.environ | own):
            url = f"http://127.0.0.1:{port}"
            wait_for(lambda: is_up(url), "WebKit")
            engine = WebKit(url)
            yield engine
            engine.command("DeleteSession")


def is_up(url: str) -> bool:
    """Tell whether the driver responds."""
    with suppress(requests.ConnectionError):
        return requests.get(f"{url}/status", timeout=5).ok
    return False


@dataclass
class Person:
    """A person who uses a site with a mouse."""

    engine: Engine
    url: str

    def open(self, path: str) -> None:
        """Open a page."""
        self.engine.command("Navigate", url=self.url + path)

    def press(self, name: str) -> None:
        """Use the last link or button of that name."""
        found = f'(//*[self::a or self::button][normalize-space()="{name}"])[last()]'
        self.engine.command("ElementClick", id=self.engine.find(found))

    def type(self, name: str, text: str) -> None:
        """Type a text into the field of that name."""
        field = self.engine.find(f'//*[@id=//label[normalize-space()="{name}"]/@for]')
        self.engine.command("ElementSendKeys", id=field, text=text)

    def sees(self, text: str) -> None:
        """Wait until the page shows a text; fail if it does not."""
        self.engine.find(f'//main[contains(normalize-space(), "{text}")]')


class Typist(Person):
    """A person who uses no mouse."""

    def press(self, name: str) -> None:
        """Press Tab until the link or button of that name has the focus, and then Enter."""
        self.go(name)
        self.hit(ENTER)

    def type(self, name: str, text: str) -> None:
        """Press Tab until the field of that name has the focus, and type."""
        self.go(name)
        for key in text:
            self.hit(key)

    def hit(self, key: str) -> None:
        """Press a key."""
        strokes = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": strokes}
        self.engine.command("PerformActions", actions=[keyboard])

    def go(self, name: str) -> None:
        """Press Tab until the link, button or field of that name has the focus."""
        for _ in range(300):
            self.hit(TAB)
            with suppress(LookupError):  # another page replaces this one
                focused = self.engine.command("GetActiveElement")[ELEMENT]
                if self.engine.command("GetComputedLabel", id=focused).strip() == name:
                    return
        raise AssertionError(f"Tab does not reach {name}")
