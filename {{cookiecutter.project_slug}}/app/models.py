"""Users, their posts, and who follows whom."""

from datetime import UTC, datetime, timedelta

from flask_login import UserMixin
from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column, relationship
from werkzeug.security import generate_password_hash

from app.extensions import Base, db

USERNAME_LENGTH = 64
EMAIL_LENGTH = 120
POST_LENGTH = 140

followers = Table(
    "followers",
    Base.metadata,
    Column("follower_id", ForeignKey("user.id"), primary_key=True),
    Column("followed_id", ForeignKey("user.id"), primary_key=True),
    Index(None, "followed_id", "follower_id"),
)


def utcnow() -> datetime:
    """Return the time in UTC, without a time zone because SQLite stores none."""
    return datetime.now(UTC).replace(tzinfo=None)


class User(UserMixin, Base):
    """A person with an account."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(USERNAME_LENGTH), unique=True)
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    about_me: Mapped[str] = mapped_column(String(POST_LENGTH), default="", server_default="")
    created: Mapped[datetime | None] = mapped_column(default=utcnow)  # older accounts have none
    last_seen: Mapped[datetime] = mapped_column(default=utcnow, server_default=func.now())
    login_token = ""  # of the login that has just begun

    def get_id(self) -> str:
        """Return what the session of a new login holds."""
        # The previous release reads the id in front, and fails where there is none.
        return f"{self.id}.{self.login_token}"

    def set_password(self, password: str) -> None:
        """Store the hash of `password`."""
        self.password_hash = generate_password_hash(password)

    def note_seen(self) -> None:
        """Update `last_seen` at most once a minute, since each update costs a commit."""
        if utcnow() - self.last_seen >= timedelta(minutes=1):
            self.last_seen = utcnow()
            db.session.commit()

    def follow(self, user_id: int) -> None:
        """Add a user's posts to this user's timeline."""
        pair = {"follower_id": self.id, "followed_id": user_id}
        try:
            db.session.execute(insert(followers).values(pair))
            db.session.commit()
        except IntegrityError:  # an earlier click has done it
            db.session.rollback()

    def unfollow(self, user_id: int) -> None:
        """Remove a user's posts from this user's timeline."""
        db.session.execute(delete(followers).where(self._follows(user_id)))
        db.session.commit()

    def _follows(self, user_id: int) -> ColumnElement[bool]:
        return and_(followers.c.follower_id == self.id, followers.c.followed_id == user_id)


# Names and e-mail addresses that differ only in case are the same.
Index("ix_user_username_lower", func.lower(User.username), unique=True)
Index("ix_user_email_lower", func.lower(User.email), unique=True)


class Login(Base):
    """A browser in which a user is logged in. To log out is to delete the row."""

    __tablename__ = "login"

    token: Mapped[str] = mapped_column(String(43), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    created: Mapped[datetime] = mapped_column(default=utcnow)


class Post(Base):
    """A post. Ids are in order of arrival: the newest post has the highest."""

    __tablename__ = "post"
    __table_args__ = (Index(None, "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(POST_LENGTH))
    timestamp: Mapped[datetime] = mapped_column(default=utcnow, server_default=func.now())
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    author: Mapped[User] = relationship()


def ignoring_case(column: InstrumentedAttribute[str]) -> Select[User]:
    """Return the statement that finds the user whose `column` is the parameter `text`."""
    return select(User).where(func.lower(column) == func.lower(bindparam("text", type_=String())))


WITH_NAME = ignoring_case(User.username)
WITH_EMAIL = ignoring_case(User.email)


def user_named(username: str) -> User | None:
    """Return the user of that name."""
    return find_user(WITH_NAME, username)


def user_with_email(email: str) -> User | None:
    """Return the user with that e-mail address."""
    return find_user(WITH_EMAIL, email)


def find_user(statement: Select[User], text: str) -> User | None:
    """Return the user whom `statement` finds. PostgreSQL refuses NUL in a text."""
    return None if "\0" in text else db.session.scalar(statement, {"text": text})
