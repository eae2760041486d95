"""What never leaves for Sentry: who it was, what they sent, and what the app keeps secret."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import g, has_request_context, request, session
from sentry_sdk.types import Breadcrumb, Event, Hint, Log
from sqlalchemy import make_url
from sqlalchemy.exc import InterfaceError, OperationalError

from app.forms import tidy

Line = TypeVar("Line", Breadcrumb, Log)

FILTERED = "[Filtered]"
HEADERS_SENT = ("Accept", "Content-Length", "Content-Type", "Host", "User-Agent")
# It begins where a word does: tried at each letter, it would take hours for a long one.
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+")

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


class Scrubber:
    """Blanks, in what is sent, all that quotes the app's secrets, the request or its user."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        urls = [config["SQLALCHEMY_DATABASE_URI"], config["RATELIMIT_STORAGE_URI"]]
        passwords = [make_url(url).password for url in urls]
        self.secrets = [config["SECRET_KEY"], *urls, *passwords]

    def event(self, event: Event, hint: Hint) -> Event | None:
        """`event`, scrubbed. All that a lost database breaks is one issue."""
        sent: Any = event
        private = private_forms([*self.secrets, *values_of_request()])
        for key in ("extra", "logentry", "message"):
            if key in sent:
                sent[key] = blank(sent[key], private)
        for crumb in (sent.get("breadcrumbs") or {}).get("values", []):
            texts = {key: crumb[key] for key in ("message", "data") if key in crumb}
            crumb.update(blank(texts, private))
        for exception in (sent.get("exception") or {}).get("values", []):
            exception["value"] = blank(exception.get("value"), private)
        if is_lost_database(hint.get("exc_info", (None, None))[1]):
            sent["fingerprint"] = ["database"]
        return scrub_request(event)

    def log(self, entry: Log, hint: Hint) -> Log | None:
        """`entry`, scrubbed."""
        private = private_forms([*self.secrets, *values_of_request()])
        entry["body"] = blank(entry["body"], private)
        for name, value in entry["attributes"].items():
            if not name.startswith("sentry.") or name.startswith("sentry.message."):
                entry["attributes"][name] = blank(value, private)
        return drop_crash_line(entry, hint)


def drop_crash_line(entry: Line, hint: Hint) -> Line | None:
    """`entry`, unless it is Flask's line of a crash: that is an event already, without the path."""
    sent: Any = entry
    logger = sent.get("category") or sent.get("attributes", {}).get("logger.name")
    text = sent.get("message") or sent.get("body") or ""
    return None if logger == "app" and text.startswith("Exception on ") else entry


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


def is_lost_database(error: object) -> bool:
    """Whether the database cannot be reached, went away or shuts down (SQLSTATE 08, 57P)."""
    if not isinstance(error, InterfaceError | OperationalError):
        return False
    state = getattr(error.orig, "sqlstate", None) or "08"  # none: there was no server to give one
    return state.startswith(("08", "57P"))


def blank(node: Any, private: list[str]) -> Any:
    """`node` with what is `private`, and every e-mail address, blanked in its texts."""
    if isinstance(node, dict):
        return {key: blank(value, private) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [blank(value, private) for value in node]
    if not isinstance(node, str):
        return node
    for value in private:
        if value in node:
            # Of a short value, only the whole word: "bob", but not in "bobbin".
            word = re.escape(value)
            pattern = word if len(value) >= 8 else rf"(?<!\w){word}(?!\w)"
            node = re.sub(pattern, FILTERED, node)
    return EMAIL.sub(FILTERED, node)


def private_forms(values: list[Any]) -> list[str]:
    """The texts among `values`, as sent, as forms tidy them and as `repr` quotes them."""
    texts = {value for value in values if isinstance(value, str)}
    texts |= {tidy(text) or "" for text in texts}
    texts |= {repr(text)[1:-1] for text in texts}
    return sorted((text for text in texts if len(text) >= 3), key=len, reverse=True)


def values_of_request() -> list[Any]:
    """What an error in this request could quote of it and of its user."""
    if not has_request_context():
        return []
    values = [request.remote_addr, request.query_string.decode("latin1"), *session.values()]
    values += [value for name, value in request.headers if name not in HEADERS_SENT]
    values += request.headers.get("Authorization", "").split()
    values += (request.authorization.parameters if request.authorization else {}).values()
    # A form that nobody has read is quoted nowhere, and to read it now could fail or wait.
    for sent in (request.cookies, request.args, vars(request).get("form", {})):
        values += [v for name in sent if name != "submit" for v in sent.getlist(name)]
    values += (request.view_args or {}).values()
    if not request.url_rule:
        values.append(request.path)
    return [*values, *vars(g.get("_login_user", object)).values()]
