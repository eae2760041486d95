"""Static files under URLs that change with their content, so that browsers may keep them."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, current_app, request, session, url_for

YEAR = 365 * 24 * 60 * 60  # seconds


def init_app(app: Flask) -> None:
    """Add `static_url` to the templates of `app`, and caching to its static files."""
    app.add_template_global(static_url)
    app.after_request(allow_caching)


def static_url(filename: str, part: str = "") -> str:
    """Return the URL of a static file, with the version that it had at the first request.

    `part` is the blueprint that has the file, or empty for a file that all pages share.
    """
    scaffold = current_app.blueprints[part] if part else current_app
    first = first_version(f"{scaffold.static_folder}/{filename}")
    return url_for(f"{part}.static" if part else "static", filename=filename, v=first)


def version(path: str) -> str:
    """Return a hash of the content of the file at `path`."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:12]


# Pages link many files, and reading one takes time, so they keep the version of the first call.
first_version = cache(version)


def allow_caching(response: Response) -> Response:
    """Let browsers keep a static file for a year if its URL has the version that is served.

    The versions differ while a developer edits the file. They also differ during a rolling update,
    when a page of one release may load a file from a replica of the other.
    """
    is_static = (request.endpoint or "").rpartition(".")[2] == "static"
    # Flask responds to OPTIONS without a look at the path, which may lead out of the folder.
    if is_static and request.method != "OPTIONS" and response.status_code in (200, 304):
        scaffold = current_app.blueprints[request.blueprint] if request.blueprint else current_app
        path = f"{scaffold.static_folder}/{(request.view_args or {})['filename']}"
        if (asked := request.args.get("v")) and asked == version(path):
            session.accessed = False  # Flask-Login reads it, so Flask would add `Vary: Cookie`
            response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
