"""Which texts are private, and how they are removed from what quotes them.

The server's half works by value: an event may contain anything but what this request, its user or
the app's settings contain. Few values are private, and everything else helps to find the fault. A
browser cannot know which of the texts on a page are private, so its half sends only what is listed
in `browser/scrubbing.js`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from contextvars import ContextVar
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote, quote_plus

import sentry_sdk
from flask import g, has_request_context, request, session

from app.extensions import Base
from app.text import tidy

FILTERED = "[Filtered]"
HEADERS_SENT = ("Accept", "Content-Length", "Content-Type", "Host", "User-Agent")
# Their values are words that messages have, too, such as "none", "empty", "close" and "https".
PUBLIC_HEADER = re.compile("Cache-Control|Connection|Sec-Fetch-.*|X-Forwarded-Proto")
# Anchored at a word start: otherwise matching a long string takes quadratic time.
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+")
# PostgreSQL quotes rows in these lines, which SQLAlchemy puts before the statement.
DETAIL = re.compile(r"\b(DETAIL|CONTEXT):.*?(?=\n\[SQL:|\Z)", re.DOTALL)
# SQLAlchemy quotes values in this line, unless an engine has `hide_parameters`.
PARAMETERS = re.compile(r"\[(parameters): .*?(?=\n\(Background|\Z)", re.DOTALL)
# A name that a developer would give to a field. Clients may send others.
FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,30}")


class Private:
    """Texts that must not be sent: `texts`, or every text if `everything` is true."""

    def __init__(self, texts: set[str], *, everything: bool = False) -> None:
        self.everything = everything
        texts = {text for text in texts if len(text) >= 3}
        texts |= {tidy(text) or "" for text in texts}  # as forms keep them
        forms = {form for text in texts for form in quoted(text)}
        # A longer text may contain a shorter one.
        self.texts = sorted((form for form in forms if len(form) >= 3), key=len, reverse=True)

    def blank(self, node: Any) -> Any:
        """Return `node` with the private texts, e-mail addresses and rows in it replaced."""
        if isinstance(node, dict):
            return {self.blank(key): self.blank(value) for key, value in node.items()}
        if isinstance(node, list | tuple):
            return [self.blank(value) for value in node]
        if isinstance(node, bool) or not isinstance(node, str | int | float):
            return node
        if self.everything:
            return FILTERED
        sent = shown = str(node)
        lower = shown.lower()
        for text in self.texts:
            if text.lower() in lower:
                # A short text counts only as a whole word: "bob", but not in "bobbin".
                word = re.escape(text)
                pattern = word if len(text) >= 8 else rf"(?<!\w){word}(?!\w)"
                sent = re.sub(pattern, FILTERED, sent, flags=re.IGNORECASE)
        for rows in (DETAIL, PARAMETERS):
            sent = rows.sub(rf"\1: {FILTERED}", sent)
        sent = EMAIL.sub(FILTERED, sent)
        return node if sent == shown else sent


def quoted(text: str) -> Iterator[str]:
    """Yield `text` as it is, and as code, JSON and URLs quote it."""
    yield text
    yield repr(text)[1:-1]
    yield repr(text.encode(errors="replace"))[2:-1]
    yield json.dumps(text)[1:-1]
    yield json.dumps(text, ensure_ascii=False)[1:-1]
    yield quote(text, errors="replace")
    yield quote_plus(text, errors="replace")


finished: ContextVar[tuple[set[str], bool]] = ContextVar("finished")


def remember_request(_: object, **__: object) -> None:
    """Keep what is private in a request that ends. Its transaction is sent only afterwards."""
    finished.set(texts_of_request())


def find_private(secrets: list[Any]) -> Private:
    """Return the `secrets` and what is private in this request.

    Every text is private in a thread that a request has started, which has its scope but cannot see
    the request.
    """
    if not has_request_context():
        # The SDK gives this name to the scope of a request.
        is_of_request = sentry_sdk.get_isolation_scope()._name == "wsgi"
        return Private(set(texts_in(secrets)), everything=is_of_request)
    texts, everything = texts_of_request()
    return Private({*texts, *texts_in(secrets)}, everything=everything)


def texts_of_request() -> tuple[set[str], bool]:
    """Return the private texts of this request, and whether every text is private.

    Every text is private if there is an upload, of which any part may be quoted, or if the request
    cannot be read, because its crash must be sent.
    """
    try:
        return set(texts_in(values_of_request())), bool(vars(request).get("files"))
    except Exception:
        return set(), True


def texts_in(node: object) -> Iterator[str]:
    """Return all texts in nested lists and mappings, and the keys that no developer has chosen."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, bytes):
        yield node.decode(errors="replace")
    elif isinstance(node, Mapping):
        yield from (key for key in node if isinstance(key, str) and not FIELD.fullmatch(key))
        yield from texts_in(list(node.values()))
    elif isinstance(node, list | tuple):
        for child in node:
            yield from texts_in(child)
    elif isinstance(node, int | float | Decimal | date) and len(str(node)) >= 6:
        yield from (str(node), repr(node))  # a shorter number has other meanings, too


def values_of_request() -> list[Any]:
    """Return what an error could quote of this request and of its user."""
    # A body that was never read is quoted nowhere, and reading it now could fail or block.
    read = vars(request)
    fields = [request.cookies, request.args, read.get("form", {})]
    user = g.get("_login_user")  # current_user would query the database, which may have failed
    return [
        request.remote_addr,
        request.access_route,
        request.query_string,
        request.view_args if request.url_rule else request.path,
        [
            value
            for name, value in request.headers
            if name not in HEADERS_SENT and not PUBLIC_HEADER.fullmatch(name)
        ],
        request.headers.get("Authorization", "").split(),
        getattr(request.authorization, "parameters", None),
        [dict(values.lists()) | {"submit": ""} for values in fields if values],
        [read.get("_cached_data"), read.get("_cached_json"), parsed(read.get("_cached_data"))],
        [value for key, value in session.items() if key != "_flashes"],
        [text for _, text in session.get("_flashes", ())],
        [vars(row) for row in rows_of(user)],
        g.get("rows_of_user"),
    ]


def parsed(body: bytes | None) -> Any:
    """Return what a view gets that parses a JSON body by itself, such as that of a webhook."""
    with suppress(ValueError, RecursionError):
        return json.loads(body or "")


def remember_user() -> None:
    """Keep what is private of the request's user. A roll-back empties the rows."""
    g.rows_of_user = [dict(vars(row)) for row in rows_of(g.get("_login_user"))]


def rows_of(user: Any) -> list[Base]:
    """Return a user, and the rows that were loaded with the user, such as a profile."""
    loaded = vars(user).values() if user else ()
    return [row for row in (user, *loaded) if isinstance(row, Base)]
