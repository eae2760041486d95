"""Register, log in, log out, choose a new password by a reset link."""

import re
from collections.abc import Callable

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy.exc import IntegrityError

from app import accounts
from app.auth.forms import LoginForm, NewPasswordForm, RegistrationForm
from app.extensions import client_network, db, limiter, login_manager
from app.forms import has_page, keep_text
from app.models import EMAIL_LENGTH, User
from app.text import tidy

bp = Blueprint("auth", __name__)


def shows_form_again(response: Response) -> bool:
    """Return whether an attempt failed. Only a successful one redirects."""
    return response.status_code == 200


def account_and_network() -> str:
    """Return whose password is tried, and from which network."""
    name = tidy(request.form.get("username", "")) or ""
    account = getattr(current_user, "id", name[:EMAIL_LENGTH].lower())
    return f"{account} {client_network()}"


def limit_guesses(view: Callable[[], ResponseReturnValue]) -> Callable[[], ResponseReturnValue]:
    """Limit how often a wrong password can be sent to `view`.

    Many people may share an address, so wrong passwords for one account do not lock out the rest
    until there are many.
    """
    view = limiter.limit("10/minute", key_func=account_and_network, deduct_when=shows_form_again)(
        view
    )
    return limiter.limit("100/minute", deduct_when=shows_form_again)(view)


@bp.get("/login")
def login() -> ResponseReturnValue:
    """Ask for a name and a password."""
    if current_user.is_authenticated:
        return redirect(url_for("main.index"))
    return render_template("auth/login.html", form=LoginForm())


@bp.post("/login")
@limit_guesses
def log_in() -> ResponseReturnValue:
    """Log a user in, and redirect to the page they came for."""
    if current_user.is_authenticated:
        return redirect(url_for("main.index"))
    form = LoginForm()
    if form.validate():
        user = accounts.authenticate(form.username.data, form.password.data)
        if user:
            accounts.log_in(user, remember=form.remember_me.data)
            return redirect(local_path(request.args.get("next")) or url_for("main.index"))
        flash("Wrong username or password.", "error")
    return render_template("auth/login.html", form=form)


@login_manager.unauthorized_handler
def ask_to_log_in() -> ResponseReturnValue:
    """Redirect to the log-in page, which redirects back if the URL has a page."""
    keep_text()
    flash("Please log in to see this page.")
    target = request.full_path.rstrip("?") if has_page() else None
    return redirect(url_for("auth.login", next=target))


def local_path(target: str | None) -> str | None:
    """Return `target` if it is a path of this site.

    Browsers read `//host` as another site, also with a backslash or with tabs in it.
    """
    return target if target and re.fullmatch(r"/(?![/\\])[^\\\s\x00-\x1f\x7f]*", target) else None


@bp.route("/logout", methods=["POST"])
def logout() -> ResponseReturnValue:
    """Log the user out."""
    accounts.log_out()
    flash("You are logged out.")
    return redirect(url_for("auth.login"))


@bp.route("/register", methods=["GET", "POST"])
@limiter.limit("20/minute;60/hour")
def register() -> ResponseReturnValue:
    """Create an account, and log its user in."""
    if current_user.is_authenticated:
        return redirect(url_for("main.index"))
    form = RegistrationForm(owner=request.form.get("username", ""))
    if form.validate_on_submit():
        user = User(username=form.username.data, email=form.email.data)
        user.set_password(form.password.data)
        if save(user):
            accounts.log_in(user)
            flash(f"Welcome, {user.username}!", "success")
            return redirect(url_for("main.index"))
    return render_template("auth/register.html", form=form)


def save(user: User) -> bool:
    """Store `user`. Return False if the name or e-mail address was taken meanwhile."""
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        flash("This name or e-mail address has just been taken.", "error")
        return False
    return True


@bp.route("/reset", methods=["GET", "POST"])
def reset() -> ResponseReturnValue:
    """Let the holder of a reset link choose a new password, and log them in."""
    # The token is in the query, which is neither logged nor sent to Sentry.
    user = accounts.user_of_token(request.args.get("token", ""))
    if user is None:
        flash("This link was used already, or is older than a day.", "error")
        return redirect(url_for("auth.login"))
    form = NewPasswordForm(owner=user.username)
    if form.validate_on_submit():
        accounts.set_password(user, form.password.data)
        accounts.log_in(user)
        flash("You have a new password.", "success")
        return redirect(url_for("main.index"))
    return render_template("auth/reset.html", form=form, user=user)
