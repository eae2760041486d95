"""Register, log in, log out."""

import re

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from sqlalchemy.exc import IntegrityError

from app.accounts import authenticate
from app.auth.forms import LoginForm, RegistrationForm
from app.extensions import db, limiter, login_manager
from app.models import User

bp = Blueprint("auth", __name__)


def shows_form_again(response: Response) -> bool:
    """Return whether an attempt failed. Only a successful one redirects."""
    return response.status_code == 200


@bp.route("/login", methods=["GET", "POST"])
@limiter.limit("10/minute", methods=["POST"], deduct_when=shows_form_again)
def login() -> ResponseReturnValue:
    """Log a user in, and redirect to the page they came for."""
    if current_user.is_authenticated:
        return redirect(url_for("main.index"))
    form = LoginForm()
    if form.validate_on_submit():
        user = authenticate(form.username.data, form.password.data)
        if user:
            login_user(user, remember=form.remember_me.data)
            return redirect(local_path(request.args.get("next")) or url_for("main.index"))
        flash("Wrong username or password.", "error")
    return render_template("auth/login.html", form=form)


@login_manager.unauthorized_handler
def ask_to_log_in() -> ResponseReturnValue:
    """Redirect to the log-in page, which redirects back if the request was a GET."""
    flash("Please log in to see this page.")
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=target))


def local_path(target: str | None) -> str | None:
    """Return `target` if it is a path of this site.

    Browsers read `//host` as another site, also with a backslash or with tabs in it.
    """
    return target if target and re.fullmatch(r"/(?![/\\])[^\\\s\x00-\x1f\x7f]*", target) else None


@bp.route("/logout", methods=["POST"])
def logout() -> ResponseReturnValue:
    """Log the user out."""
    logout_user()
    flash("You are logged out.")
    return redirect(url_for("auth.login"))


@bp.route("/register", methods=["GET", "POST"])
def register() -> ResponseReturnValue:
    """Create an account."""
    if current_user.is_authenticated:
        return redirect(url_for("main.index"))
    form = RegistrationForm()
    if form.validate_on_submit() and add_user(form):
        flash("Welcome! Log in with your new account.", "success")
        return redirect(url_for("auth.login"))
    return render_template("auth/register.html", form=form)


def add_user(form: RegistrationForm) -> bool:
    """Store the new user. Return False if the name or e-mail address was taken meanwhile."""
    user = User(username=form.username.data, email=form.email.data)
    user.set_password(form.password.data)
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        flash("This name or e-mail address has just been taken.", "error")
        return False
    return True
