"""Servers that stand in for Sentry: one that records everything, and hosts with a fault."""

import gzip
import json
import os
import re
import socket
import socketserver
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from tests.support.servers import free_port, wait_for

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
LIMITED = b"HTTP/1.1 429 Too Many\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"
RESET = b""

# Longer than a host name may be, so that it is refused without asking a name server.
UNKNOWN_HOST = ".".join(["sentry"] * 40)
FAULTS = ("refuses", "hangs", "limits", "fails", "resets", "is unknown", "has no project")


class Connection(socketserver.StreamRequestHandler):
    """A connection that stays open and gets the sink's response to each envelope."""

    server: "Sink"

    def handle(self) -> None:
        """Read requests until the client closes the connection."""
        length = 0
        with suppress(ConnectionError):
            for line in self.rfile:
                if found := re.match(rb"content-length: *(\d+)", line, re.I):
                    length = int(found[1])
                if line == b"\r\n":
                    self.take(self.rfile.read(length))

    def take(self, body: bytes) -> None:
        """Record a request's body if the sink keeps them, and respond."""
        if self.server.keep and body:  # a client that is killed sends none
            self.server.bodies.append(body)
        time.sleep(self.server.delay)
        if self.server.response == RESET:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.request.detach())
            raise ConnectionResetError
        self.wfile.write(self.server.response)


class Sink(socketserver.ThreadingTCPServer):
    """A server that reads envelopes as fast as they arrive and gives each the same response."""

    daemon_threads = True

    def __init__(self, response: bytes = OK, delay: float = 0, *, keep: bool = True) -> None:
        """Listen on a free port; a `with` block serves it."""
        super().__init__(("127.0.0.1", 0), Connection)
        self.response, self.delay, self.keep = response, delay, keep
        self.bodies: list[bytes] = []
        self.dsn = dsn_at("127.0.0.1", self.server_address[1])

    def __enter__(self) -> "Sink":
        """Serve in a thread."""
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving."""
        self.shutdown()
        self.server_close()

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return the contents of all recorded items of a kind: event, transaction, sessions."""
        return [item for body in list(self.bodies) for item in items_of(body, kind)]

    def event_ids(self) -> set[str]:
        """Return the ids of the events that have arrived."""
        return {event["event_id"] for event in self.items("event")}


def items_of(body: bytes, kind: str) -> Iterator[dict[str, Any]]:
    """Return the contents of an envelope's items of a kind."""
    _, *lines = gzip.decompress(body).splitlines()
    for header, payload in zip(lines[::2], lines[1::2], strict=True):
        if json.loads(header)["type"] == kind:
            yield json.loads(payload)


def sent(sink: Sink, kind: str, number: int = 1) -> list[dict[str, Any]]:
    """Return the items of a kind from browsers, once there are as many."""

    def arrived() -> list[dict[str, Any]] | None:
        items = [item for item in sink.items(kind) if item["platform"] == "javascript"]
        return items if len(items) >= number else None

    found: list[dict[str, Any]] = wait_for(arrived, f"{number} items from a browser: {kind}")
    return found


def dsn_at(host: str, port: int) -> str:
    """Return the DSN of a project at a host."""
    return f"http://public@{host}:{port}/1"


@contextmanager
def broken_host(fault: str) -> Iterator[str]:
    """Return the DSN of a host that has a fault until the block ends."""
    match fault:
        case "refuses":
            yield dsn_at("127.0.0.1", free_port())
        case "hangs":  # the kernel completes the handshake, but nothing accepts the connection
            with socket.create_server(("127.0.0.1", 0)) as listener:
                yield dsn_at("127.0.0.1", listener.getsockname()[1])
        case "is unknown":
            yield dsn_at(UNKNOWN_HOST, 80)
        case "has no project":
            yield "http://public@127.0.0.1"
        case _:
            with Sink({"limits": LIMITED, "fails": BROKEN, "resets": RESET}[fault]) as sink:
                yield sink.dsn
