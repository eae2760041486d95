"""The proxy of the servers, within its limits, while strangers attack it."""

import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests
import yaml

from tests.support.commands import HERE, Shell
from tests.support.servers import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.containers, pytest.mark.usefixtures("engine")]

# An app that breaks off each POST. Its pages and its static files are 100 kB of text.
APP = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if self.path == "/" else "text/css")
        self.send_header("Content-Length", 100_000)
        self.end_headers()
        self.wfile.write(b"0123456789" * 10_000)

    def do_POST(self):
        self.close_connection = True

ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("", 8000), App).serve_forever()
"""
REQUEST = b"%s HTTP/1.1\r\nHost: localhost\r\n"
STALLED_BODY = REQUEST % b"POST /" + b"Content-Length: 200000\r\n\r\n" + b"a" * 150_000
ATTACKS = {
    "unfinished headers": (200, REQUEST % b"GET /" + b"X-Long: " + b"a" * 900_000),
    "stalled bodies": (1_000, STALLED_BODY),
    "idle connections": (6_000, b""),
}


@dataclass
class Proxy(Shell):
    """Caddy, as compose.swarm.yaml and the Caddyfile configure it, in front of APP."""

    name: str = ""
    address: str = ""
    connections: int = 0

    @property
    def url(self) -> str:
        """Return the URL of the front page."""
        return f"http://{self.address}/"

    def get(self, path: str, encodings: str = "") -> requests.Response:
        """Return the response to a GET request on a connection of its own."""
        headers = {"Host": "localhost", "Accept-Encoding": encodings}
        return requests.get(self.url + path, headers=headers, timeout=20, stream=True)

    def serves(self) -> bool:
        """Tell whether a page comes."""
        try:
            return self.get("").ok
        except requests.RequestException:
            return False

    def attack(self, stack: ExitStack, connections: int, sent: bytes) -> None:
        """Open connections, and send the same bytes on each of them."""

        def connect(_: int) -> None:
            with suppress(OSError):  # Caddy may refuse
                client = socket.create_connection((self.address, 80), timeout=10)
                stack.enter_context(client).sendall(sent)

        with ThreadPoolExecutor(16) as attackers:
            list(attackers.map(connect, range(connections)))


@pytest.fixture(scope="module")
def proxy(
    engine: None, default_project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Run Caddy and APP, with compose.swarm.yaml's service `caddy` but without its ports."""
    [file] = default_project.rglob("compose.swarm.yaml")
    swarm = yaml.safe_load(file.read_text("utf-8"))
    caddy = swarm["services"]["caddy"]
    del caddy["ports"]
    web = {"image": "python:3.14-slim", "command": ["python", "-c", APP], "init": True}
    config = {"file": str(default_project / swarm["configs"]["caddyfile"]["file"])}
    composed = {
        "services": {"caddy": caddy, "web": web},
        "configs": {"caddyfile": config},
        "volumes": {"caddy": {}},
    }
    folder = tmp_path_factory.mktemp("attacked")
    (folder / "compose.yaml").write_text(yaml.safe_dump(composed), "utf-8")
    proxy = Proxy(folder, {**HERE.variables, "PUBLIC_URL": "http://localhost, https://localhost"})
    try:
        proxy.succeed("docker", "compose", "up", "--detach")
        proxy.name = proxy.succeed("docker", "compose", "ps", "--quiet", "caddy")
        addresses = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        proxy.address = proxy.succeed("docker", "inspect", "--format", addresses, proxy.name)
        proxy.connections = caddy["ulimits"]["nofile"]
        wait_for(proxy.serves, "Caddy")
        yield proxy
    finally:
        proxy.succeed("docker", "compose", "down", "--volumes", "--timeout", "1")


@pytest.mark.parametrize("attack", ATTACKS)
def test_page_is_served_during_attack(proxy: Proxy, attackers: ExitStack, attack: str) -> None:
    """A stranger's page comes within a second while connections hold what Caddy lets them."""
    proxy.attack(attackers, *ATTACKS[attack])
    proxy.serves()  # TCP may repeat a packet after 1 s, until Caddy has accepted all connections
    slowest = 0.0
    for _ in range(20):
        start = time.monotonic()
        assert proxy.get("").ok
        slowest = max(slowest, time.monotonic() - start)
        time.sleep(0.1)
    assert slowest < 1


def test_connections_fit_in_memory(proxy: Proxy, attackers: ExitStack) -> None:
    """Caddy survives as many stalled bodies as it takes connections, and then serves again."""
    proxy.attack(attackers, proxy.connections, STALLED_BODY)
    attackers.close()
    assert wait_for(proxy.serves, "a page")


def test_https_has_one_request_at_a_time(proxy: Proxy) -> None:
    """A connection carries one request at a time, which the sum in the Caddyfile relies on."""
    tls = ssl.create_default_context()
    tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
    tls.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection((proxy.address, 443)) as connection,
        tls.wrap_socket(connection, server_hostname="localhost") as client,
    ):
        assert client.selected_alpn_protocol() == "http/1.1"


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
@pytest.mark.parametrize(("path", "size"), [("static/style.css", 10_000), ("", 1_000)])
def test_text_is_compressed(proxy: Proxy, path: str, size: int, encoding: str) -> None:
    """A page and a static file take fewer bytes on the wire than they have."""
    response = proxy.get(path, encoding)
    assert response.headers["Content-Encoding"] == encoding
    assert len(response.raw.read(decode_content=False)) < size


def test_log_of_failure_has_no_secret(proxy: Proxy) -> None:
    """Caddy logs a request that failed with its status, and without its path and headers."""
    headers = {"Host": "localhost", "Referer": "https://localhost/?secret", "X-Key": "secret"}
    failed = requests.post(proxy.url + "reset?token=secret", headers=headers, timeout=20)
    log = proxy.succeed("docker", "compose", "logs", "caddy")
    assert f'"status":{failed.status_code}' in log
    assert "secret" not in log
