"""The error pages, and the requests that are refused before a view sees them."""

import sentry_sdk
from flask import Flask, abort, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError

from app.extensions import is_locked, is_lost_database

MESSAGES = {
    400: ("Not understood", "Go back, reload the page and send it again."),
    401: ("Not logged in", "Please log in, then try again."),
    403: ("Not allowed", "This is for somebody else to see or to change."),
    404: ("Page not found", "There is nothing at this URL. It may have been deleted."),
    405: ("Not a page", "This URL belongs to a button. Go back and press it there."),
    408: ("Too slow", "Your request took too long to arrive. Please try again."),
    413: ("Too large", "This is more than the site accepts at once."),
    429: ("Too many attempts", "Please wait a minute, then try again."),
    503: ("Busy", "The site cannot do this now. Please try again in a few seconds."),
}
OTHER_REFUSAL = ("Not possible", "The site cannot do this.")
OTHER_FAILURE = ("Out of order", "The site cannot do this now. Please try again later.")
EXPIRED = (
    "This form has expired",
    "It was opened in another session. Go back and copy what you typed, if your browser still has"
    " it. Then reload the page and send it again.",
)


def init_app(app: Flask) -> None:
    """Show the errors of `app` as pages."""
    app.before_request(refuse_other_sites)
    app.before_request(refuse_oversized)
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(500, crash)


def refuse_other_sites() -> None:
    """Respond with a 400 to a form that another site has sent.

    Browsers send the Origin, the Referer or, for privacy, neither. A token is needed in any case.
    """
    sender = request.headers.get("Origin") or request.headers.get("Referer")
    if request.method == "POST" and sender and not is_this_site(sender):
        current_app.logger.warning("Refused another site's form. If it is yours, check PUBLIC_URL.")
        abort(400)


def is_this_site(url: str) -> bool:
    """Return whether `url` belongs to this site: to PUBLIC_URL, or to the host of the request."""
    sites = (current_app.config["PUBLIC_URL"], f"{request.scheme}://{request.host}")
    return f"{url}/".startswith(tuple(f"{site}/" for site in sites if site))


def refuse_oversized() -> None:
    """Respond with a 413 to a chunked body above the limit, at which Werkzeug truncates it."""
    limit = current_app.config["MAX_CONTENT_LENGTH"]
    if "Transfer-Encoding" in request.headers and len(request.get_data()) >= limit:
        abort(413)


def refuse(error: HTTPException) -> ResponseReturnValue:
    """Show what is wrong with the request."""
    if isinstance(request.routing_exception, BadRequest):
        return error.get_response()  # the Host header is invalid, so no page with links can be made
    code = error.code or 500
    title, text = MESSAGES.get(code, OTHER_REFUSAL if code < 500 else OTHER_FAILURE)
    if isinstance(error, CSRFError):
        title, text = EXPIRED
    if isinstance(error, RateLimitExceeded):
        error.retry_after = error.limit.limit.get_expiry()  # seconds, at most
    return render_template("error.html", title=title, text=text), code, Headers(error.get_headers())


def crash(error: InternalServerError) -> ResponseReturnValue:
    """Apologise, and show the id of the event in Sentry if there is one."""
    # render_template would load the user, and the database may be what failed.
    page = current_app.jinja_env.get_template("500.html")
    cause = error.original_exception
    is_busy = is_lost_database(cause) or is_locked(cause)
    user = AnonymousUserMixin()
    html = page.render(event_id=sentry_sdk.last_event_id(), is_busy=is_busy, current_user=user)
    return (html, 503, {"Retry-After": "5"}) if is_busy else (html, 500)
