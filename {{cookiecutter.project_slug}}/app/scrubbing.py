"""What never leaves for Sentry: personal data, what users sent, and the app's own secrets."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import g, has_request_context, request, session
from sentry_sdk.types import Breadcrumb, Event, Hint, Log
from sqlalchemy import make_url

from app.text import tidy

Line = TypeVar("Line", Breadcrumb, Log)

FILTERED = "[Filtered]"
HEADERS_SENT = ("Accept", "Content-Length", "Content-Type", "Host", "User-Agent")
# Anchored at a word start: otherwise matching a long string takes quadratic time.
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+")

# The SDK adds nothing of a request, a person or a variable.
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
    """Removes quotes of the app's secrets, of the request and of its user from what is sent."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        urls = [config["SQLALCHEMY_DATABASE_URI"], config["RATELIMIT_STORAGE_URI"]]
        passwords = [make_url(url).password for url in urls]
        self.secrets = [config["SECRET_KEY"], *urls, *passwords]

    def event(self, event: Event, hint: Hint) -> Event | None:
        """Return `event`, scrubbed."""
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
        return scrub_request(event)

    def log(self, entry: Log, hint: Hint) -> Log | None:
        """Return the log line `entry`, scrubbed."""
        private = private_forms([*self.secrets, *values_of_request()])
        entry["body"] = blank(entry["body"], private)
        for name, value in entry["attributes"].items():
            if not name.startswith("sentry.") or name.startswith("sentry.message."):
                entry["attributes"][name] = blank(value, private)
        return drop_crash_line(entry, hint)


def drop_crash_line(entry: Line, hint: Hint) -> Line | None:
    """Return `entry` unless it is Flask's log line of a crash, which quotes the path.

    Sentry has the crash as an event already.
    """
    sent: Any = entry
    logger = sent.get("category") or sent.get("attributes", {}).get("logger.name")
    text = sent.get("message") or sent.get("body") or ""
    return None if logger == "app" and text.startswith("Exception on ") else entry


def scrub_request(event: Event) -> Event:
    """Return `event` with the route's rule as its URL, and without headers about a person."""
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


def blank(node: Any, private: list[str]) -> Any:
    """Return `node` with the `private` texts and all e-mail addresses in it replaced."""
    if isinstance(node, dict):
        return {key: blank(value, private) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [blank(value, private) for value in node]
    if not isinstance(node, str):
        return node
    for value in private:
        if value in node:
            # A short value counts only as a whole word: "bob", but not in "bobbin".
            word = re.escape(value)
            pattern = word if len(value) >= 8 else rf"(?<!\w){word}(?!\w)"
            node = re.sub(pattern, FILTERED, node)
    return EMAIL.sub(FILTERED, node)


def private_forms(values: list[Any]) -> list[str]:
    """Return the texts among `values` as sent, as forms tidy them and as `repr` quotes them."""
    texts = {value for value in values if isinstance(value, str)}
    texts |= {tidy(text) or "" for text in texts}
    texts |= {repr(text)[1:-1] for text in texts}
    return sorted((text for text in texts if len(text) >= 3), key=len, reverse=True)


def values_of_request() -> list[Any]:
    """Return what an error could quote of this request and of its user."""
    if not has_request_context():
        return []
    values = [request.remote_addr, request.query_string.decode("latin1"), *session.values()]
    values += [value for name, value in request.headers if name not in HEADERS_SENT]
    values += request.headers.get("Authorization", "").split()
    values += (request.authorization.parameters if request.authorization else {}).values()
    # A form that was never read is quoted nowhere, and reading it now could fail or block.
    for sent in (request.cookies, request.args, vars(request).get("form", {})):
        values += [v for name in sent if name != "submit" for v in sent.getlist(name)]
    values += (request.view_args or {}).values()
    if not request.url_rule:
        values.append(request.path)
    user = g.get("_login_user")  # current_user would query the database, which may have failed
    return [*values, *(vars(user).values() if user else ())]
