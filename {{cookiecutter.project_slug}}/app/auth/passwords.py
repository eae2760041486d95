"""Passwords: which are weak, and how they are hashed and checked."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import BoundedSemaphore

from werkzeug.exceptions import ServiceUnavailable
from werkzeug.security import check_password_hash, generate_password_hash

from app.extensions import db

LENGTH = 8  # characters, at least
COMMON = (
    "password password1 password12 password123 passw0rd p@ssw0rd 12345678 123456789 1234567890"
    " 87654321 11111111 00000000 12341234 123123123 qwertyui qwertyuiop qwerty12 qwerty123"
    " 1q2w3e4r 1q2w3e4r5t 1qaz2wsx asdfghjk asdfghjkl abcd1234 abc12345 a1b2c3d4 iloveyou"
    " sunshine princess football baseball superman starwars trustno1 letmein1 welcome1 michelle"
    " jennifer computer whatever internet changeme"
)
# A hash takes 32 MiB and 0.1 s of CPU. gunicorn.conf.py has the sum of what a worker needs.
AT_ONCE = 2
WAITING = 12  # including those at work; half of a worker's threads remain for other pages
at_work, in_line = BoundedSemaphore(AT_ONCE), BoundedSemaphore(WAITING)


@contextmanager
def turn() -> Iterator[None]:
    """Wait for a turn to hash. Respond with a 503 where too many wait already."""
    if not in_line.acquire(blocking=False):
        raise ServiceUnavailable(retry_after=5)
    try:
        db.session.commit()  # gives the connection back, which others need meanwhile
        with at_work:
            yield
    finally:
        in_line.release()


def hash_of(password: str) -> str:
    """Return the hash of a new password."""
    with turn():
        return generate_password_hash(password)


def is_right(password: str, stored: str | None) -> bool:
    """Return whether `stored` is the hash of `password`. Without a hash, it takes as long."""
    with turn():
        return check_password_hash(stored or dummy_hash(), password) and stored is not None


@cache
def dummy_hash() -> str:
    """Return the hash of a password that nobody knows."""
    return generate_password_hash(secrets.token_hex())


def is_weak(password: str, username: str) -> bool:
    """Return whether a password is common, or too short without the user's name in it."""
    rest = password.lower().replace(username.lower(), "")
    return len(rest) < LENGTH or rest in COMMON.split()
