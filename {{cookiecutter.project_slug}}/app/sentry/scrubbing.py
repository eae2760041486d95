"""What never leaves for Sentry: personal data, what users sent, and the app's own secrets."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

from sentry_sdk.types import Event, Log

from app.sentry.private import HEADERS_SENT, Private, find_private, finished, texts_in

# The SDK adds nothing of a request, a person or a variable.
DATA_COLLECTION: Any = {
    "user_info": False,
    "cookies": {"mode": "off"},
    "http_headers": {"request": {"mode": "allowlist", "terms": list(HEADERS_SENT)}},
    "http_bodies": [],
    "url_query_params": {"mode": "off"},
    "database_query_data": False,
    "queues": False,
    "gen_ai": {"inputs": False, "outputs": False},
    "graphql": {"document": False, "variables": False},
    "stack_frame_variables": False,
}
SECRET = re.compile("KEY|PASSWORD|SECRET|TOKEN")  # in the name of a setting, also of an owner's own
PASSWORD = re.compile("://[^/:@]*:([^@]*)@")  # in a URL
LITERAL = re.compile("'[^']*'")  # in a statement that has values instead of parameters


class Scrubber:
    """Removes quotes of the app's secrets, of the request and of its user from what is sent."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        urls = [config["SQLALCHEMY_DATABASE_URI"], config["RATELIMIT_STORAGE_URI"]]
        urls += [text for text in texts_in(config) if PASSWORD.search(text)]
        self.secrets = [*urls, *(unquote(word) for url in urls for word in PASSWORD.findall(url))]
        self.secrets += [value for name, value in config.items() if SECRET.search(name)]
        receivers = f"{config['SENTRY_DSN']} {config['SENTRY_SPOTLIGHT']}"
        self.receivers = re.findall(r"//(?:[^/\s]+@)?([^/\s]+)", receivers)

    def event(self, event: Event) -> Event:
        """Return `event`, scrubbed."""
        sent: Any = event
        private = find_private(self.secrets)
        blank_keys(sent, ("extra", "logentry", "message"), private)
        for exception in (sent.get("exception") or {}).get("values", []):
            blank_keys(exception, ("value",), private)
        if crumbs := sent.get("breadcrumbs"):
            crumbs["values"] = [c for c in self.calls(crumbs["values"]) if not is_crash_line(c)]
            for crumb in crumbs["values"]:
                if crumb.get("category") == "query":
                    crumb["message"] = LITERAL.sub("'?'", str(crumb.get("message")))
                blank_keys(crumb, ("message", "data"), private)
        return scrub_request(event)

    def transaction(self, event: Event) -> Event:
        """Return `event`, scrubbed."""
        spans = event["spans"] = self.calls(event["spans"])
        if own := [span for span in spans if not scrub_call(span)]:
            texts, everything = finished.get((set(), False))
            private = Private({*texts, *texts_in(self.secrets)}, everything=everything)
            for span in own:
                blank_keys(span, ("description", "data"), private)
        return scrub_request(event)

    def log(self, entry: Log) -> Log | None:
        """Return the log line `entry`, scrubbed."""
        private, attributes = find_private(self.secrets), entry["attributes"]
        names = [n for n in attributes if not n.startswith("sentry.") or "message" in n]
        blank_keys(entry, ("body",), private)
        blank_keys(attributes, names, private)
        return None if is_crash_line(entry) else entry

    def calls(self, calls: Any) -> list[Any]:
        """Return the spans or breadcrumbs `calls`, without the queries of URLs.

        The SDK's own requests are removed: it records them like any others.
        """
        kept = []
        for call in calls:
            if isinstance(data := call.get("data"), dict):  # an owner may record anything
                data.pop("http.query", None)
                if any(f"//{host}/" in str(data.get("url")) for host in self.receivers):
                    continue
            kept.append(call)
        return kept


def scrub_call(span: Any) -> bool:
    """Remove values from the description of a span of a library. Return whether it is one."""
    text = span.get("description") or ""
    if str(span.get("op")).startswith("db"):
        span["description"] = LITERAL.sub("'?'", text)
    elif span.get("op") == "http.client":
        span["description"] = re.sub(r"(://[^/]*).*", r"\1", text)  # a path may have values
        span.get("data", {}).pop("url", None)
    else:
        return False
    return str(span.get("origin")).startswith("auto.")  # an owner's span may have any values


def is_crash_line(entry: Any) -> bool:
    """Return whether `entry` is Flask's log line of a crash, which quotes the path.

    Sentry has the crash as an event already.
    """
    logger = entry.get("category") or entry.get("attributes", {}).get("logger.name")
    text = str(entry.get("message") or entry.get("body"))
    return logger == "app" and text.startswith("Exception on ")


def blank_keys(node: Any, keys: Iterable[str], private: Private) -> None:
    """Remove the private texts from the values of `keys` in `node`."""
    node.update({key: private.blank(node[key]) for key in keys if key in node})


def scrub_request(event: Event) -> Event:
    """Return `event` with the route's rule as its URL, the id of its user, and HEADERS_SENT."""
    if user := event.get("user"):
        event["user"] = {"id": user.get("id")}
    sent: Any = event.get("request")
    if sent:
        route = event.get("transaction") or ""
        scheme, _, rest = sent.get("url", "").partition("://")  # urlsplit refuses some hosts
        headers = sent.get("headers", {})
        event["request"] = {
            "method": sent.get("method"),
            "url": f"{scheme}://{rest.partition('/')[0]}{route if route.startswith('/') else ''}",
            "headers": {name: headers[name] for name in HEADERS_SENT if name in headers},
        }
    return event
