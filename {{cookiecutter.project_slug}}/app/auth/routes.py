"""Register, log in, log out, reset a password, and the pages of one's own account."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required, logout_user
from sqlalchemy.exc import IntegrityError

from app.auth import forms, service
from app.auth.access import LOST_ACCOUNT, local_path, note_user, refuse_lost_account
from app.auth.commands import reset_link, set_password
from app.auth.models import User
from app.extensions import db
from app.limits import limit_guesses, limiter
from app.text import tidy

bp = Blueprint("auth", __name__, template_folder="templates", cli_group=None)
bp.cli.add_command(reset_link)
bp.cli.add_command(set_password)
bp.before_app_request(note_user)
for error in LOST_ACCOUNT:
    bp.app_errorhandler(error)(refuse_lost_account)

TAKEN = "This name or email address has just been taken."
CHANGED = "The password was changed meanwhile. Please log in."


@bp.get("/auth/login")
def login() -> ResponseReturnValue:
    """Ask for a name and a password."""
    if current_user.is_authenticated:
        return redirect(url_for("main.index"))
    return render_template("auth/login.html", form=forms.LoginForm())


@bp.post("/auth/login")
@limit_guesses
def log_in() -> ResponseReturnValue:
    """Log a user in, and redirect to the page they came for."""
    if current_user.is_authenticated:
        return redirect(url_for("main.index"))
    form = forms.LoginForm()
    if form.validate():
        user = service.authenticate(form.username.data, form.password.data)
        if user and service.log_in(user, remember=form.remember_me.data):
            return redirect(local_path(request.args.get("next")) or url_for("main.index"))
        flash("Wrong username or password.", "error")
    return render_template("auth/login.html", form=form)


@bp.post("/auth/logout")
def logout() -> ResponseReturnValue:
    """Log the user out."""
    service.log_out()
    flash("You are logged out.")
    return redirect(url_for("auth.login"))


@bp.route("/auth/register", methods=["GET", "POST"])
@limiter.limit("20/minute;60/hour", methods=["POST"])
def register() -> ResponseReturnValue:
    """Create an account, and log its user in."""
    if current_user.is_authenticated:
        return redirect(url_for("main.index"))
    form = forms.RegistrationForm(owner=tidy(request.form.get("username")) or "")
    if form.validate_on_submit():
        user = service.create_account(form.username.data, form.email.data, form.password.data)
        if user and service.log_in(user):
            flash(f"Welcome, {user.username}!", "success")
            return redirect(url_for("main.index"))
        flash(TAKEN, "error")
    return render_template("auth/register.html", form=form)


@bp.route("/auth/reset", methods=["GET", "POST"])
@limiter.limit("20/minute", methods=["POST"])
def reset() -> ResponseReturnValue:
    """Let the holder of a reset link choose a new password, and log them in."""
    # The token is in the query, which is neither logged nor sent to Sentry.
    user = service.user_of_token(request.args.get("token", ""))
    if user is None:
        flash("This link was used already, or is older than a day.", "error")
        return redirect(url_for("auth.login"))
    form = forms.NewPasswordForm(owner=user.username)
    if form.validate_on_submit():
        return change(user, form.password.data, "You have a new password.", "main.index")
    return render_template("auth/reset.html", form=form, user=user)


@bp.get("/account")
@login_required
def account() -> ResponseReturnValue:
    """Show what a user can change."""
    return render_template("auth/account.html")


@bp.route("/.well-known/change-password")
def where_to_change_password() -> ResponseReturnValue:
    """Lead password managers to the form."""
    return redirect(url_for("auth.change_password"))


@bp.route("/account/password", methods=["GET", "POST"])
@login_required
@limit_guesses
def change_password() -> ResponseReturnValue:
    """Change the user's password, and log out all other browsers."""
    form = forms.ChangePasswordForm(owner=current_user.username)
    if form.validate_on_submit():
        message = "Your password is changed. All other browsers are logged out."
        user = current_user._get_current_object()  # Flask-Login must not get its own proxy
        return change(user, form.password.data, message, "auth.account")
    return render_template("auth/password.html", form=form)


def change(user: User, password: str, message: str, endpoint: str) -> ResponseReturnValue:
    """Set a new password, log the user in with it, and redirect to `endpoint`."""
    changed = service.set_password(user, password) and service.log_in(user)
    return finish(changed, message, endpoint)


def finish(changed: bool, message: str, endpoint: str) -> ResponseReturnValue:
    """Redirect to `endpoint`, or to the log-in page if the password was changed meanwhile."""
    flash(*(message, "success") if changed else (CHANGED, "error"))
    return redirect(url_for(endpoint if changed else "auth.login"))


@bp.route("/account/email", methods=["GET", "POST"])
@login_required
@limit_guesses
def change_email() -> ResponseReturnValue:
    """Change the user's e-mail address."""
    form = forms.ChangeEmailForm(obj=current_user)
    if form.validate_on_submit():
        try:
            changed = service.set_email(current_user, form.email.data)
        except IntegrityError:
            db.session.rollback()
            flash(TAKEN, "error")
        else:
            return finish(changed, "Your email address is changed.", "auth.account")
    return render_template("auth/email.html", form=form)


@bp.post("/account/logout")
@login_required
def log_out_everywhere() -> ResponseReturnValue:
    """Log the user out in all browsers."""
    service.log_out_everywhere(current_user)
    flash("You are logged out everywhere.")
    return redirect(url_for("auth.login"))


@bp.route("/account/delete", methods=["GET", "POST"])
@login_required
@limit_guesses
def delete() -> ResponseReturnValue:
    """Delete the user's account with all that belongs to it."""
    form = forms.ConfirmForm()
    if form.validate_on_submit():
        deleted = service.delete_account(current_user)
        logout_user()
        return finish(deleted, "Your account is deleted.", "auth.login")
    return render_template("auth/delete.html", form=form)
