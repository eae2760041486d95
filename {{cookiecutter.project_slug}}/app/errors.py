"""The error pages."""

import sentry_sdk
from flask import Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import BadRequest, HTTPException

from app.extensions import db

MESSAGES = {
    403: ("Not yours", "Only its author can do this."),
    404: ("Page not found", "There is nothing at this URL. It may have been deleted."),
    413: ("Too large", "This is more than the site accepts at once."),
    429: ("Too many attempts", "Please wait a minute, then try again."),
}
CSRF_MESSAGE = (
    "This form has expired",
    "It was opened in another session. Go back, reload the page and send it again.",
)


def init_app(app: Flask) -> None:
    """Show the errors of `app` as pages."""
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(500, crash)


def refuse(error: HTTPException) -> ResponseReturnValue:
    """Show what is wrong with the request."""
    if isinstance(request.routing_exception, BadRequest):
        return error.get_response()  # the Host header is invalid, so no page with links can be made
    code = error.code or 500
    title, text = MESSAGES.get(code, (error.name, error.description or ""))
    if isinstance(error, CSRFError):
        title, text = CSRF_MESSAGE
    return render_template("error.html", title=title, text=text), code, Headers(error.get_headers())


def crash(error: HTTPException) -> ResponseReturnValue:
    """Apologise, and show the id of the event in Sentry if there is one."""
    db.session.rollback()
    # render_template would load the user, and the database may be what failed.
    page = current_app.jinja_env.get_template("500.html")
    return page.render(event_id=sentry_sdk.last_event_id()), 500
