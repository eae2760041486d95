"""The pages for what goes wrong."""

import sentry_sdk
from flask import Flask, current_app, render_template
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from app.extensions import db

WORDS = {
    403: ("Not yours", "Only its author can do this."),
    404: ("Page not found", "There is nothing at this address. It may have been deleted."),
    413: ("Too large", "This is more than can be sent at once."),
    429: ("Too many attempts", "Please wait a minute, then try again."),
}
CSRF_WORDS = (
    "This form has expired",
    "It was opened in another session. Go back, reload the page and send it again.",
)


def init_app(app: Flask) -> None:
    """Show `app`'s errors as pages."""
    app.register_error_handler(HTTPException, failed)
    app.register_error_handler(500, crashed)


def failed(error: HTTPException) -> ResponseReturnValue:
    """Say what is wrong with the request."""
    code = error.code or 500
    title, text = WORDS.get(code, (error.name, error.description or ""))
    if isinstance(error, CSRFError):
        title, text = CSRF_WORDS
    return render_template("error.html", title=title, text=text), code, Headers(error.get_headers())


def crashed(error: HTTPException) -> ResponseReturnValue:
    """Apologise, with the id under which Sentry has the crash, if it has."""
    db.session.rollback()
    # Not render_template: Flask-Login would add the user, and the database may be what failed.
    page = current_app.jinja_env.get_template("500.html")
    return page.render(event_id=sentry_sdk.last_event_id()), 500
