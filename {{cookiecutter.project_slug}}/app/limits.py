"""How often a client may try something. Attempts are counted before they are looked at."""

import hashlib
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address, ip_network

from flask import request
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_login import current_user

from app.text import fold, tidy

View = Callable[[], ResponseReturnValue]


def client_network() -> str:
    """Return the client's IP address, or of an IPv6 address its /64, which one client has."""
    client = request.remote_addr or "unknown"  # for an empty key, Flask-Limiter skips the limit
    try:
        address = ip_address(client)
    except ValueError:  # a proxy may send anything
        return client
    address = getattr(address, "ipv4_mapped", None) or address
    return str(ip_network((address, 64), strict=False) if address.version == 6 else address)


def account() -> str:
    """Return whose password is tried: the user's own, or that of a name in the form."""
    if current_user.is_authenticated:
        return f"id {current_user.id}"
    name = fold(tidy(request.form.get("username")) or "")
    # The key is logged, and somebody may have typed the password in the wrong field.
    return f"name {hashlib.sha256(name.encode()).hexdigest()}"


def account_and_network() -> str:
    """Return whose password is tried, and from which network."""
    return f"{account()} {client_network()}"


limiter = Limiter(client_network)


def limit_guesses(view: View) -> View:
    """Limit how often `view` checks a password.

    Many people may share a network, so attempts at one account do not lock out the rest until there
    are many. Many networks may try one account, so all of them together are limited as well. All
    pages that check a password share the limits.
    """
    limit = partial(limiter.shared_limit, scope="guesses", methods=["POST"])
    view = limit("10/minute", key_func=account_and_network)(view)
    view = limit("200/hour", key_func=account)(view)
    return limit("100/minute")(view)
