"""What never leaves for Sentry: who it was, what they sent, and what the app keeps secret."""

import re
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import current_app, g, has_app_context, has_request_context, request, session
from sentry_sdk.types import Breadcrumb, Event, Hint, Log
from sqlalchemy.exc import InterfaceError, OperationalError

Line = TypeVar("Line", Breadcrumb, Log)

HEADERS_SENT = ("Accept", "Content-Length", "Content-Type", "Host", "User-Agent")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")

# Nothing that the SDK could add of a request, a person or a variable.
DATA_COLLECTION: Any = {
    "user_info": False,
    "cookies": {"mode": "off"},
    "http_headers": {"request": {"mode": "allowlist", "terms": list(HEADERS_SENT)}},
    "http_bodies": [],
    "url_query_params": {"mode": "off"},
    "database_query_data": False,
    "queues": False,
    "stack_frame_variables": False,
}


def scrub_event(event: Event, hint: Hint) -> Event | None:
    """`event` without what its texts quote. All that a lost database breaks is one issue."""
    texts: dict[str, Any] = {key: event.get(key) for key in ("breadcrumbs", "extra", "logentry")}
    event.update({key: blank(text) for key, text in texts.items() if text})  # type: ignore[typeddict-item]
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = blank(exception.get("value"))
    if isinstance(hint.get("exc_info", (None, None))[1], InterfaceError | OperationalError):
        event["fingerprint"] = ["database"]
    return scrub_request(event)


def scrub_log(entry: Log, hint: Hint) -> Log | None:
    """`entry` without what it quotes."""
    entry["body"] = blank(entry["body"])
    entry["attributes"] = blank(entry["attributes"])
    return drop_crash_line(entry, hint)


def drop_crash_line(entry: Line, hint: Hint) -> Line | None:
    """`entry`, unless it is Flask's line of a crash: that is an event already, without the path."""
    text: Any = entry.get("body") or entry.get("message")
    return None if str(text).startswith("Exception on ") else entry


def scrub_request(event: Event) -> Event:
    """`event` with the route's rule as its address, and only headers that tell of no person."""
    sent: Any = event.get("request")
    if sent:
        route = event.get("transaction") or ""
        scheme, host = urlsplit(sent.get("url", ""))[:2]
        headers = sent.get("headers", {})
        event["request"] = {
            "method": sent.get("method"),
            "url": f"{scheme}://{host}{route if route.startswith('/') else ''}",
            "headers": {name: headers[name] for name in HEADERS_SENT if name in headers},
        }
    return event


def blank(node: Any) -> Any:
    """`node` with every private value in its texts blanked; its keys and numbers stay."""
    patterns = [EMAIL.pattern]
    for value in sorted(private_values(), key=len, reverse=True):
        # Of a short value, only the whole word: "bob", but not in "bobbin".
        word = re.escape(value)
        patterns.append(word if len(value) >= 8 else rf"(?<!\w){word}(?!\w)")
    private = re.compile("|".join(patterns))

    def walk(node: Any) -> Any:
        if isinstance(node, str):
            return private.sub("[Filtered]", node)
        if isinstance(node, dict):
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [walk(value) for value in node]
        return node

    return walk(node)


def private_values() -> set[str]:
    """What an error of this moment could quote: the app's secrets, the request, its user."""
    values: list[Any] = []
    if has_app_context():
        uri = current_app.config["SQLALCHEMY_DATABASE_URI"]
        values += [current_app.config["SECRET_KEY"], uri, urlsplit(uri).password]
        values += vars(g.get("_login_user", object)).values()
    if has_request_context():
        values += [value for name, value in request.headers if name not in HEADERS_SENT]
        values += request.headers.get("Authorization", "").split()
        values += (request.authorization.parameters if request.authorization else {}).values()
        values.append(request.query_string.decode("latin1"))
        for sent in (request.cookies, request.args, request.form):
            values += [value for name in sent for value in sent.getlist(name)]
        values += [*(request.view_args or {}).values(), *session.values()]
        if not request.url_rule:
            values.append(request.path)
    return {value for value in values if isinstance(value, str) and len(value) >= 3}
