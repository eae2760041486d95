"""Who is logged in, and who may log in."""

import secrets
from functools import cache

import sentry_sdk
from werkzeug.security import check_password_hash, generate_password_hash

from app.extensions import db, login_manager
from app.models import User, user_named


@login_manager.user_loader
def load_user(session_id: str) -> User | None:
    """Return the user of a session. Sentry gets the user's number and nothing else of a person."""
    user = db.session.get(User, int(session_id.partition(".")[0]))
    if user is None or user.get_id() != session_id:
        return None
    sentry_sdk.set_user({"id": str(user.id)})
    return user


def authenticate(username: str, password: str) -> User | None:
    """Return the user if the password is right. An unknown name takes as long to check."""
    user = user_named(username)
    stored = user.password_hash if user else dummy_hash()
    return user if check_password_hash(stored, password) else None


@cache
def dummy_hash() -> str:
    """Return the hash of a password that nobody knows."""
    return generate_password_hash(secrets.token_hex())
