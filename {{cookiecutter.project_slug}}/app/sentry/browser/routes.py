"""Errors and page loads in the browser. The script that sends them is built from `browser/`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sentry_sdk
from flask import Blueprint, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sentry_sdk.envelope import Envelope, Item

from app.errors import is_this_site
from app.extensions import csrf
from app.limits import client_network, limiter

FORWARDED_HEADERS = ("event_id", "sent_at", "trace")
FORWARDED_ITEMS = ("event", "feedback", "transaction")

bp = Blueprint("browser", __name__, template_folder="templates")


@bp.app_template_global()
def has_script() -> bool:
    """Return whether pages load the script, which `make assets` builds."""
    return Path(current_app.static_folder or "", "browser.js").is_file()


@bp.app_template_global()
def watches() -> bool:
    """Return whether the script sends to Sentry what happens in the browser."""
    return sentry_sdk.is_initialized() and has_script()


def kind_and_network() -> str:
    """Return what is sent, and from where: page loads must not use up what feedback may."""
    kind = "feedback" if b'"type":"feedback"' in request.get_data() else "telemetry"
    return f"{kind} {client_network()}"


@bp.app_template_global()
def trace_headers() -> Iterable[tuple[str, str]]:
    """Return the headers with which the browser continues the trace of this request."""
    return sentry_sdk.get_current_scope().iter_trace_propagation_headers()


@bp.post("/browser/envelope")
@csrf.exempt
def tunnel() -> ResponseReturnValue:
    """Forward what the script sends to where the server sends its own events.

    Ad blockers block requests to the hosts of Sentry. Only the body is forwarded: no IP address,
    no cookie, and no DSN that the body may name. Other sites cannot send here.
    """
    if not is_this_site(request.origin or ""):
        abort(400)
    if not watches():
        abort(404)
    body = request.get_data()  # here, as the limiter takes every error for a broken storage
    with limiter.limit("60/minute", key_func=kind_and_network):
        envelope = read_envelope(body) or abort(400)
    client: Any = sentry_sdk.get_client()
    for transport in filter(None, (client.spotlight, client.transport)):
        transport.capture_envelope(envelope)
    return "", 204


def read_envelope(body: bytes) -> Envelope | None:
    """Return what may be forwarded of the envelope `body`, or None if it is not an envelope."""
    try:
        sent = Envelope.deserialize(body)
        headers = {name: sent.headers[name] for name in FORWARDED_HEADERS if name in sent.headers}
        items = [
            Item(item.payload, type=item.type, content_type="application/json")
            for item in sent
            if item.type in FORWARDED_ITEMS
        ]
    except (ArithmeticError, AttributeError, RecursionError, TypeError, ValueError):
        return None
    return Envelope(headers, items)


@bp.route("/broken_button")
def broken_button() -> ResponseReturnValue:
    """Show a button that crashes in the browser and on the server, if BROKEN_ROUTE is on."""
    if not current_app.config["BROKEN_ROUTE"]:
        abort(404)
    return render_template("browser/broken_button.html")
