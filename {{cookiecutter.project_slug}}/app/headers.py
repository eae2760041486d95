"""The headers of every response: security, and the id of its trace."""

from flask import Response, current_app

from app.sentry import trace_id

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; "
    "object-src 'none'; "
    "base-uri 'none'; "
    "form-action 'self'; "
    "frame-ancestors 'none'"
)


def add_headers(response: Response) -> Response:
    """Return `response` with the security headers and the id of its trace."""
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    # Static files say themselves how long they may be kept.
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if trace := trace_id():
        response.headers["X-Trace-Id"] = trace
    if current_app.config["PREFERRED_URL_SCHEME"] == "https":
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
