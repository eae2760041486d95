"""Register, log in, log out."""

import re

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_user, logout_user
from sqlalchemy.exc import IntegrityError

from app.auth.forms import LoginForm, RegistrationForm
from app.extensions import db, limiter
from app.extensions import login as login_manager
from app.models import User, authenticate

bp = Blueprint("auth", __name__)


def shows_form_again(response: Response) -> bool:
    """Whether an attempt failed: only a success redirects."""
    return response.status_code == 200


@bp.route("/login", methods=["GET", "POST"])
@limiter.limit("10/minute", methods=["POST"], deduct_when=shows_form_again)
def login() -> ResponseReturnValue:
    """Log a user in, and go to where they wanted to go."""
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
    """Send a stranger to the log-in page, and from there back; but not back to a form's target."""
    flash("Please log in to see this page.")
    target = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("auth.login", next=target))


def local_path(target: str | None) -> str | None:
    """`target` if it is a path of this site.

    Browsers take `//host`, `/\\host`, and these with tabs in them, for another site.
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
    """Make an account."""
    if current_user.is_authenticated:
        return redirect(url_for("main.index"))
    form = RegistrationForm()
    if form.validate_on_submit() and add_user(form):
        flash("Welcome! Log in with your new account.", "success")
        return redirect(url_for("auth.login"))
    return render_template("auth/register.html", form=form)


def add_user(form: RegistrationForm) -> bool:
    """Keep the new user; False where somebody took the name in this very moment."""
    user = User(username=form.username.data, email=form.email.data)
    user.set_password(form.password.data)
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        flash("Somebody was quicker: this name or address is taken now.", "error")
        return False
    return True
