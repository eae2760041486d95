"""Who is logged in, and who may log in."""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from typing import Any

import sentry_sdk
from flask import current_app
from flask_login import current_user, login_user, logout_user
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import ColumnElement, Executable, bindparam, delete, insert, literal, select, update
from sqlalchemy.exc import IntegrityError

from app.auth.models import Login, User, user_named, user_with_email, utcnow
from app.auth.passwords import hash_of, is_right
from app.extensions import db, login_manager
from app.text import fold

RESET_LINK_SECONDS = 24 * 60 * 60
LOGGED_IN = (
    select(User)
    .join(Login, Login.user_id == User.id)
    .where(Login.token == bindparam("token"), Login.created > bindparam("since"))
)


@login_manager.user_loader
def load_user(token: object) -> User | None:
    """Return the user of a login. Sentry gets the user's number and nothing else of a person."""
    if not re.fullmatch(r"[\w-]{43}", str(token), re.ASCII):
        return None
    user = db.session.scalar(LOGGED_IN, {"token": token, "since": oldest_login()})
    if user:
        user.login_token = str(token)
        sentry_sdk.set_user({"id": str(user.id)})
    return user


def oldest_login() -> datetime:
    """Return since when a login is valid."""
    duration: timedelta = current_app.config["REMEMBER_COOKIE_DURATION"]
    return utcnow() - duration


def authenticate(login: str, password: str) -> User | None:
    """Return the user if the password is right. An unknown login takes as long to check."""
    user = user_with_email(login) if "@" in login else user_named(login)
    return user if is_right(password, user and user.password_hash) else None


def log_in(user: User, *, remember: bool = False) -> bool:
    """Log `user` in, in this browser. Forget logins that have expired.

    Return False if the account was deleted, or got another password, since `user` was loaded.
    """
    expired = delete(Login).where(Login.user_id == user.id, Login.created < oldest_login())
    db.session.execute(expired)
    user.login_token = secrets.token_urlsafe(32)
    values = literal(user.login_token), User.id, literal(utcnow())
    # The lock lets this wait for a change of the password, and the change wait for this.
    unchanged = select(*values).where(*is_unchanged(user)).with_for_update()
    row = insert(Login).from_select([Login.token, Login.user_id, Login.created], unchanged)
    added = count_rows(row)
    db.session.commit()
    return bool(added and login_user(user, remember=remember))


def is_unchanged(user: User) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that the account of `user` exists and has the password it had."""
    return User.id == user.id, User.password_hash == user.password_hash


def count_rows(statement: Executable) -> int:
    """Execute `statement`, and return the number of rows that it has changed."""
    result: Any = db.session.execute(statement)
    return int(result.rowcount)


def log_out() -> None:
    """Log the user out in this browser. A copy of its cookies is worth nothing then."""
    if current_user.is_authenticated:
        db.session.execute(delete(Login).where(Login.token == current_user.login_token))
        db.session.commit()
    logout_user()


def log_out_everywhere(user: User) -> None:
    """Log `user` out in every browser."""
    db.session.execute(delete(Login).where(Login.user_id == user.id))
    db.session.commit()


def set_password(user: User, password: str) -> bool:
    """Give `user` a new password, and log them out in every browser.

    Return False if the account was deleted, or got another password, since `user` was loaded.
    """
    new = hash_of(password)
    if not count_rows(update(User).where(*is_unchanged(user)).values(password_hash=new)):
        db.session.rollback()
        return False
    log_out_everywhere(user)
    return True


def create_account(username: str, email: str, password: str) -> User | None:
    """Return a new user, or None if the name or the e-mail address was taken meanwhile."""
    user = User(username=username, email=email, password_hash=hash_of(password))
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        return None
    return user


def set_email(user: User, email: str) -> bool:
    """Give `user` a new e-mail address. Raise IntegrityError if it was taken meanwhile.

    Return False if the account was deleted, or got another password, since `user` was loaded.
    """
    new = {"email": email, "email_key": fold(email)}
    changed = count_rows(update(User).where(*is_unchanged(user)).values(new))
    db.session.commit()
    return bool(changed)


def delete_account(user: User) -> bool:
    """Delete `user`. The rows of all tables that refer to the user go with it.

    Return False if the account was deleted, or got another password, since `user` was loaded.
    """
    deleted = count_rows(delete(User).where(*is_unchanged(user)))
    db.session.commit()
    return bool(deleted)


def reset_token(user: User) -> str:
    """Return a token with which `user` may choose a new password, once."""
    return serializer().dumps([user.id, password_mark(user)])


def user_of_token(token: str) -> User | None:
    """Return the user who may choose a new password, unless the token is old or was used."""
    try:
        user_id, mark = serializer().loads(token, max_age=RESET_LINK_SECONDS)
    except BadData:
        return None
    user = db.session.get(User, user_id)
    return user if user and password_mark(user) == mark else None


def serializer() -> URLSafeTimedSerializer:
    """Return what signs the tokens of reset links."""
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="reset-link")


def password_mark(user: User) -> str:
    """Return a mark that changes with the user's password."""
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]
