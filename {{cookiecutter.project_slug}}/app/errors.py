"""The error pages."""

from urllib.parse import urlsplit

import sentry_sdk
from flask import Flask, abort, current_app, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, HTTPException

from app.extensions import db, login_manager
from app.forms import has_page, keep_text

MESSAGES = {
    400: ("Not understood", "Go back, reload the page and send it again."),
    401: ("Not logged in", "Please log in, then try again."),
    403: ("Not yours", "Only its author can do this."),
    404: ("Page not found", "There is nothing at this URL. It may have been deleted."),
    405: ("Not a page", "This URL belongs to a button. Go back and press it there."),
    408: ("Too slow", "Your request took too long to arrive. Please try again."),
    413: ("Too large", "This is more than the site accepts at once."),
    429: ("Too many attempts", "Please wait a minute, then try again."),
}
OTHER_REFUSAL = ("Not possible", "The site cannot do this.")
OTHER_FAILURE = ("Out of order", "The site cannot do this now. Please try again later.")
CSRF_MESSAGE = (
    "This form has expired",
    "It was opened in another session. Go back, reload the page and send it again.",
)


def init_app(app: Flask) -> None:
    """Show the errors of `app` as pages."""
    app.before_request(refuse_oversized)
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(500, crash)


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
        # Another site must not be able to change what is kept in a session.
        if has_page() and urlsplit(request.origin or "").netloc == request.host:
            return show_form_again()
        title, text = CSRF_MESSAGE
    return render_template("error.html", title=title, text=text), code, Headers(error.get_headers())


def show_form_again() -> ResponseReturnValue:
    """Redirect to the form, with its text. Let an anonymous user log in before."""
    if current_user.is_anonymous and request.blueprint != "auth":
        return login_manager.unauthorized()  # type: ignore[no-any-return]
    keep_text()
    flash("This form had expired. Please send it again.", "error")
    return redirect(request.full_path)


def crash(error: HTTPException) -> ResponseReturnValue:
    """Apologise, and show the id of the event in Sentry if there is one."""
    db.session.rollback()
    # render_template would load the user, and the database may be what failed.
    page = current_app.jinja_env.get_template("500.html")
    return page.render(event_id=sentry_sdk.last_event_id()), 500
