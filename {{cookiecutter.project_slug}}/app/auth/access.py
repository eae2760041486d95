"""Who sees a page, and where a log-in leads."""

import re

from flask import flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, logout_user
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

from app.auth.models import User
from app.extensions import db, login_manager
from app.sentry.private import remember_user
from app.sentry.sampling import is_never_traced

# The errors of a request whose account is deleted meanwhile.
LOST_ACCOUNT = (IntegrityError, ObjectDeletedError, StaleDataError)


def note_user() -> None:
    """Load the user before a view can crash, so that Sentry learns whose request it was."""
    if not is_never_traced(request.path):
        g.user_id = getattr(current_user, "id", None)
        remember_user()


def local_path(target: str | None) -> str | None:
    """Return `target` if it is a path of this site.

    Browsers read `//host` as another site, also with a backslash or with tabs in it.
    """
    return target if target and re.fullmatch(r"/(?![/\\])[^\\\s\x00-\x1f\x7f]*", target) else None


@login_manager.unauthorized_handler
def ask_to_log_in() -> ResponseReturnValue:
    """Redirect to the log-in page, which redirects back unless a form was sent."""
    flash("Please log in to see this page.")
    target = request.script_root + request.full_path.rstrip("?")
    return redirect(url_for("auth.login", next=target if request.method == "GET" else None))


def refuse_lost_account(error: Exception) -> ResponseReturnValue:
    """Ask a user to log in whose account was deleted while the request was at work."""
    db.session.rollback()
    user_id = g.get("user_id")  # current_user would ask for the row that may be gone
    if user_id is None or db.session.get(User, user_id):
        raise error
    logout_user()
    return login_manager.unauthorized()  # type: ignore[no-any-return]
