"""The account page: change the password or e-mail address, log out everywhere, delete it all."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

from app import accounts
from app.auth.forms import ChangeEmailForm, ChangePasswordForm, ConfirmForm
from app.auth.routes import limit_guesses, save

bp = Blueprint("account", __name__)


@bp.before_request
@login_required
def require_login() -> None:
    """Show these pages to logged-in users only."""


@bp.route("")
def show() -> ResponseReturnValue:
    """Show what a user can change."""
    return render_template("auth/account.html")


@bp.route("/password", methods=["GET", "POST"])
@limit_guesses
def change_password() -> ResponseReturnValue:
    """Change the user's password, and log out all other browsers."""
    form = ChangePasswordForm(owner=current_user.username)
    if form.validate_on_submit():
        user = current_user._get_current_object()  # Flask-Login must not get its own proxy
        accounts.set_password(user, form.password.data)
        accounts.log_in(user)
        flash("Your password is changed. All other browsers are logged out.", "success")
        return redirect(url_for("account.show"))
    return render_template("auth/password.html", form=form)


@bp.route("/email", methods=["GET", "POST"])
@limit_guesses
def change_email() -> ResponseReturnValue:
    """Change the user's e-mail address."""
    form = ChangeEmailForm(obj=current_user)
    if form.validate_on_submit():
        current_user.email = form.email.data
        if save(current_user):
            flash("Your e-mail address is changed.", "success")
            return redirect(url_for("account.show"))
    return render_template("auth/email.html", form=form)


@bp.route("/logout", methods=["POST"])
def log_out_everywhere() -> ResponseReturnValue:
    """Log the user out in all browsers."""
    accounts.log_out_everywhere(current_user)
    flash("You are logged out everywhere.")
    return redirect(url_for("auth.login"))


@bp.route("/delete", methods=["GET", "POST"])
@limit_guesses
def delete() -> ResponseReturnValue:
    """Delete the user's account, posts and follows."""
    form = ConfirmForm()
    if form.validate_on_submit():
        accounts.delete_account(current_user)
        accounts.log_out()
        flash("Your account is deleted.")
        return redirect(url_for("auth.login"))
    return render_template("auth/delete.html", form=form)
