"""Where a login may lead, and whose attempts are counted."""

import pytest
from flask import Flask

from app.auth.routes import local_path
from app.extensions import client_network


@pytest.mark.parametrize("target", ["/", "/user/susan", "/explore?before=7", "/user/\u0645\u0631"])
def test_own_path_is_allowed(target: str) -> None:
    """A path of this site is where the user wanted to go."""
    assert local_path(target) == target


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "explore",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "http:///evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\n/evil.example",
        "/\x00/evil.example",
        "/\x7f/evil.example",
        "/\x85/evil.example",
        "/\u2028/evil.example",
        "/explore\r\nSet-Cookie: a=b",
        "/explore\n",
    ],
)
def test_other_site_is_refused(target: str | None) -> None:
    """Nothing that a browser may take for another site gets through."""
    assert local_path(target) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
        (None, ""),
    ],
)
def test_client_network(app: Flask, address: str | None, network: str) -> None:
    """A client is counted by its IPv4 address or by its IPv6 network, whatever a proxy sends."""
    environ = {} if address is None else {"REMOTE_ADDR": address}
    with app.test_request_context(environ_base=environ):
        assert client_network() == network
