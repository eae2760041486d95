"""Users, their posts, and who follows whom."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta
from functools import cache

import sentry_sdk
from flask_login import UserMixin
from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    SQLColumnExpression,
    String,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    union,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, aliased, joinedload, mapped_column, relationship
from werkzeug.security import check_password_hash, generate_password_hash

from app.extensions import Base, db, login
from app.pagination import ID_MAX, PAGE_SIZE, Cursor

USERNAME_LENGTH = 64
EMAIL_LENGTH = 120
POST_LENGTH = 140

followers = Table(
    "followers",
    Base.metadata,
    Column("follower_id", ForeignKey("user.id"), primary_key=True),
    Column("followed_id", ForeignKey("user.id"), primary_key=True, index=True),
)


def utcnow() -> datetime:
    """Now in UTC, without a zone: SQLite keeps none."""
    return datetime.now(UTC).replace(tzinfo=None)


class User(UserMixin, Base):
    """Somebody with an account."""

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(USERNAME_LENGTH), unique=True)
    email: Mapped[str] = mapped_column(String(EMAIL_LENGTH), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    about_me: Mapped[str] = mapped_column(String(POST_LENGTH), default="", server_default="")
    last_seen: Mapped[datetime] = mapped_column(default=utcnow, server_default=func.now())

    def get_id(self) -> str:
        """What a session holds of the user. A new password makes it another: sessions end."""
        mark = hashlib.sha256(self.password_hash.encode()).hexdigest()[:16]
        return f"{self.id}.{mark}"

    def set_password(self, password: str) -> None:
        """Keep the hash of `password`."""
        self.password_hash = generate_password_hash(password)

    def note_seen(self) -> None:
        """Note that the user is here, at most once a minute: each write costs a commit."""
        if utcnow() - self.last_seen >= timedelta(minutes=1):
            self.last_seen = utcnow()
            db.session.commit()

    def follow(self, user: "User") -> None:
        """Put `user`'s posts on this user's timeline."""
        pair = {"follower_id": self.id, "followed_id": user.id}
        try:
            db.session.execute(insert(followers).values(pair))
            db.session.commit()
        except IntegrityError:  # the click before this one did it
            db.session.rollback()

    def unfollow(self, user: "User") -> None:
        """Take `user`'s posts off this user's timeline."""
        db.session.execute(delete(followers).where(self._follows(user)))
        db.session.commit()

    def is_following(self, user: "User") -> bool:
        """Whether `user`'s posts are on this user's timeline."""
        return db.session.scalar(select(exists().where(self._follows(user)))) or False

    def _follows(self, user: "User") -> ColumnElement[bool]:
        return and_(followers.c.follower_id == self.id, followers.c.followed_id == user.id)

    def follow_counts(self) -> tuple[int, int]:
        """How many follow this user, and how many this user follows."""
        count = select(func.count()).select_from(followers)
        return (
            db.session.scalar(count.where(followers.c.followed_id == self.id)) or 0,
            db.session.scalar(count.where(followers.c.follower_id == self.id)) or 0,
        )


class Post(Base):
    """What somebody wrote. Ids grow with time: the newest post has the highest."""

    __tablename__ = "post"
    __table_args__ = (Index(None, "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(POST_LENGTH))
    timestamp: Mapped[datetime] = mapped_column(default=utcnow, server_default=func.now())
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    author: Mapped[User] = relationship()


WITH_AUTHOR = joinedload(Post.author, innerjoin=True)


@login.user_loader
def load_user(user_id: str) -> User | None:
    """The user of a session. Sentry learns the number, and nothing else of the person."""
    user = db.session.get(User, int(user_id.partition(".")[0]))
    if user is None or user.get_id() != user_id:
        return None
    sentry_sdk.set_user({"id": str(user.id)})
    return user


def authenticate(username: str, password: str) -> User | None:
    """The user of that name if the password is right; as slow for a name nobody has."""
    user = user_named(username)
    stored = user.password_hash if user else hash_of_nobody()
    return user if check_password_hash(stored, password) else None


@cache
def hash_of_nobody() -> str:
    """The hash of a password that nobody knows."""
    return generate_password_hash(secrets.token_hex())


def user_named(username: str) -> User | None:
    """The user of that name."""
    if "\0" in username:  # PostgreSQL cannot even be asked
        return None
    return db.session.scalar(select(User).where(User.username == username))


def all_posts(cursor: Cursor) -> Select[Post]:
    """Everybody's posts, nearest to `cursor` first."""
    return cursor.nearest(select(Post).options(WITH_AUTHOR), Post.id)


def posts_of(user: User, cursor: Cursor) -> Select[Post]:
    """The posts of `user`, nearest to `cursor` first."""
    return cursor.nearest(select(Post).where(Post.user_id == user.id).options(WITH_AUTHOR), Post.id)


def timeline(reader: User, cursor: Cursor) -> Select[Post]:
    """Posts of `reader` and of those whom `reader` follows, nearest to `cursor` first.

    What it costs depends on how many are followed, not on how much was ever written: each
    account is asked for its nearest post, only those which answer with the nearest of all can
    have a post on the page, and of these no more than a page each is read.
    """
    page = PAGE_SIZE + 1  # one more tells whether there is a next page
    written = aliased(Post)
    end_of_posts = ID_MAX if cursor.after else 0

    def nth_post_of(account: SQLColumnExpression[int], n: int) -> ColumnElement[int]:
        posts = cursor.nearest(select(written.id).where(written.user_id == account), written.id)
        return func.coalesce(posts.limit(1).offset(n - 1).scalar_subquery(), end_of_posts)

    followed = select(followers.c.followed_id).where(followers.c.follower_id == reader.id)
    account = union(select(literal(reader.id).label("id")), followed).subquery()
    nearest = select(account.c.id, nth_post_of(account.c.id, 1).label("post_id")).subquery()
    in_order = nearest.c.post_id.asc() if cursor.after else nearest.c.post_id.desc()
    active = select(nearest.c.id).order_by(in_order).limit(page).subquery()
    last = nth_post_of(active.c.id, page)
    posts = (
        select(Post)
        .join(active, Post.user_id == active.c.id)
        .where(Post.id <= last if cursor.after else Post.id >= last)
        .options(WITH_AUTHOR)
    )
    return cursor.nearest(posts, Post.id)
