"""Static files under URLs that change with their content, so that browsers need not ask again."""

import hashlib
import os
from functools import cache

from flask import Flask, Response, current_app, request, url_for

YEAR = 365 * 24 * 60 * 60  # seconds


def init_app(app: Flask) -> None:
    """Add `static_url` to the templates of `app`, and caching to its static files."""
    app.add_template_global(static_url)
    app.after_request(allow_caching)


def static_url(filename: str) -> str:
    """Return the URL of a static file, with its version."""
    return url_for("static", filename=filename, v=version(filename))


def version(filename: str) -> str:
    """Return a hash of a static file's content."""
    path = os.path.join(current_app.static_folder or "", filename)  # noqa: PTH118
    return content_hash(path, os.stat(path).st_mtime_ns)  # noqa: PTH116


@cache
def content_hash(path: str, changed: int) -> str:
    """Return a hash of the content that the file at `path` has since it `changed`."""
    with open(path, "rb") as file:  # noqa: PTH123
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


def allow_caching(response: Response) -> Response:
    """Let browsers keep a static file for a year if its URL has the version that is served.

    During a rolling update, a page of one version may load a file from the other version.
    """
    if request.endpoint == "static" and response.status_code in (200, 304):
        filename = (request.view_args or {})["filename"]
        if request.args.get("v") == version(filename):
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
