"""Which texts are private, and how they are removed from what quotes them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flask import g, has_request_context, request, session

from app.text import tidy

FILTERED = "[Filtered]"
HEADERS_SENT = ("Accept", "Content-Length", "Content-Type", "Host", "User-Agent")
# Anchored at a word start: otherwise matching a long string takes quadratic time.
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+\.[\w.-]+")


def blank(node: Any, private: list[str] | None) -> Any:
    """Return `node` with the `private` texts and all e-mail addresses in it replaced.

    None stands for every text.
    """
    if isinstance(node, dict):
        return {key: blank(value, private) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [blank(value, private) for value in node]
    if not isinstance(node, str):
        return node
    if private is None:
        return FILTERED
    for value in private:
        if value in node:
            # A short value counts only as a whole word: "bob", but not in "bobbin".
            word = re.escape(value)
            pattern = word if len(value) >= 8 else rf"(?<!\w){word}(?!\w)"
            node = re.sub(pattern, FILTERED, node)
    return EMAIL.sub(FILTERED, node)


def private_texts(secrets: list[Any]) -> list[str] | None:
    """Return the `secrets` and what is private in this request, the longest first.

    Return None, which stands for every text, if the request cannot be read: its crash must arrive.
    """
    try:
        texts = set(texts_in([secrets, values_of_request()]))
    except Exception:
        return None
    texts |= {tidy(text) or "" for text in texts}  # as forms keep them
    texts |= {repr(text)[1:-1] for text in texts}  # as `repr` quotes them
    return sorted((text for text in texts if len(text) >= 3), key=len, reverse=True)


def texts_in(node: object) -> Iterator[str]:
    """Return all texts in nested lists and mappings."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        yield from texts_in(list(node.values()))
    elif isinstance(node, list | tuple):
        for child in node:
            yield from texts_in(child)


def values_of_request() -> list[Any]:
    """Return what an error could quote of this request and of its user."""
    if not has_request_context():
        return []
    # A form that was never read is quoted nowhere, and reading it now could fail or block.
    sent = (request.cookies, request.args, vars(request).get("form", {}))
    user = g.get("_login_user")  # current_user would query the database, which may have failed
    return [
        request.remote_addr,
        request.query_string.decode("latin1"),
        request.view_args if request.url_rule else request.path,
        [value for name, value in request.headers if name not in HEADERS_SENT],
        request.headers.get("Authorization", "").split(),
        getattr(request.authorization, "parameters", None),
        [values.getlist(name) for values in sent for name in values if name != "submit"],
        session,
        vars(user) if user else None,
    ]
