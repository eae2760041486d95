"""Users, and where they are logged in."""

from datetime import UTC, datetime

from flask_login import UserMixin
from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column, validates

from app.extensions import Base, db
from app.text import fold

USERNAME_LENGTH = 64
EMAIL_LENGTH = 120


def utcnow() -> datetime:
    """Return the time in UTC, without a time zone because SQLite stores none."""
    return datetime.now(UTC).replace(tzinfo=None)


class User(UserMixin, Base):
    """A person with an account.

    Names and e-mail addresses that differ only in case are the same. The columns that end in `_key`
    keep what is the same in them, since a migration on SQLite would lose an index on `lower(...)`.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(USERNAME_LENGTH))
    username_key: Mapped[str] = mapped_column(String(USERNAME_LENGTH), unique=True)
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH))
    email_key: Mapped[str] = mapped_column(String(EMAIL_LENGTH), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    created: Mapped[datetime] = mapped_column(default=utcnow)
    login_token = ""  # of the login that has just begun

    __eq__, __hash__ = object.__eq__, object.__hash__  # UserMixin compares what get_id returns

    def get_id(self) -> str:
        """Return what the session of a new login holds."""
        return self.login_token

    @validates("username", "email")
    def set_key(self, name: str, value: str) -> str:
        """Set the key of a name or an e-mail address."""
        setattr(self, f"{name}_key", fold(value))
        return value


class Login(Base):
    """A browser in which a user is logged in. To log out is to delete the row."""

    __tablename__ = "login"

    token: Mapped[str] = mapped_column(String(43), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created: Mapped[datetime] = mapped_column(default=utcnow)


def user_named(username: str) -> User | None:
    """Return the user of that name."""
    return db.session.scalar(select(User).where(User.username_key == fold(username)))


def user_with_email(email: str) -> User | None:
    """Return the user with that e-mail address."""
    return db.session.scalar(select(User).where(User.email_key == fold(email)))
