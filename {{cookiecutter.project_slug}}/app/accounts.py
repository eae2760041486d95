"""Who is logged in, and who may log in."""

import hashlib
import re
import secrets
from functools import cache

import sentry_sdk
from flask import current_app
from flask_login import current_user, login_user, logout_user
from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import bindparam, delete, or_, select
from werkzeug.security import check_password_hash, generate_password_hash

from app.extensions import db, login_manager
from app.models import Login, Post, User, followers, user_named, user_with_email, utcnow

PASSWORD_LENGTH = 8  # characters, at least
COMMON_PASSWORDS = (
    "password password1 password12 password123 passw0rd p@ssw0rd 12345678 123456789 1234567890"
    " 87654321 11111111 00000000 12341234 123123123 qwertyui qwertyuiop qwerty12 qwerty123"
    " 1q2w3e4r 1q2w3e4r5t 1qaz2wsx asdfghjk asdfghjkl abcd1234 abc12345 a1b2c3d4 iloveyou"
    " sunshine princess football baseball superman starwars trustno1 letmein1 welcome1 michelle"
    " jennifer computer whatever internet changeme"
)
RESET_LINK_SECONDS = 24 * 60 * 60
LOGGED_IN = (
    select(User)
    .join(Login, Login.user_id == User.id)
    .where(Login.token == bindparam("token"), Login.created > bindparam("since"))
)


@login_manager.user_loader
def load_user(session_id: object) -> User | None:
    """Return the user of a session. Sentry gets the user's number and nothing else of a person."""
    token = re.sub(r"^[0-9]+\.", "", str(session_id))
    if not re.fullmatch(r"[\w-]{43}", token, re.ASCII):
        return None
    since = utcnow() - current_app.config["REMEMBER_COOKIE_DURATION"]
    user = db.session.scalar(LOGGED_IN, {"token": token, "since": since})
    if user:
        user.login_token = token
        sentry_sdk.set_user({"id": str(user.id)})
    return user


def log_in(user: User, *, remember: bool = False) -> None:
    """Log `user` in, in this browser. Forget logins that have expired."""
    oldest = utcnow() - current_app.config["REMEMBER_COOKIE_DURATION"]
    db.session.execute(delete(Login).where(Login.user_id == user.id, Login.created < oldest))
    user.login_token = secrets.token_urlsafe(32)
    db.session.add(Login(token=user.login_token, user_id=user.id))
    db.session.commit()
    login_user(user, remember=remember)


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


def set_password(user: User, password: str) -> None:
    """Give `user` a new password, and log them out in every browser."""
    user.set_password(password)
    log_out_everywhere(user)


def delete_account(user: User) -> None:
    """Delete `user`, with all that they wrote and all that they follow."""
    db.session.refresh(user, with_for_update=True)  # nothing can refer to the user meanwhile
    db.session.execute(delete(Login).where(Login.user_id == user.id))
    db.session.execute(delete(Post).where(Post.user_id == user.id))
    mine = or_(followers.c.follower_id == user.id, followers.c.followed_id == user.id)
    db.session.execute(delete(followers).where(mine))
    db.session.delete(user)
    db.session.commit()


def authenticate(login: str, password: str) -> User | None:
    """Return the user if the password is right. An unknown login takes as long to check."""
    user = user_with_email(login) if "@" in login else user_named(login)
    stored = user.password_hash if user else dummy_hash()
    return user if check_password_hash(stored, password) else None


@cache
def dummy_hash() -> str:
    """Return the hash of a password that nobody knows."""
    return generate_password_hash(secrets.token_hex())


def is_weak(password: str, username: str) -> bool:
    """Return whether a password is common, or too short without the user's name in it."""
    rest = password.lower().replace(username.lower(), "")
    return len(rest) < PASSWORD_LENGTH or rest in COMMON_PASSWORDS.split()


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
