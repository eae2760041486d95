"""Posts, profiles, and who follows whom."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, String, Table, delete, insert, literal, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Mapped, backref, mapped_column, relationship

from app.auth.models import User, utcnow
from app.extensions import Base, db

POST_LENGTH = 140
DOUBLE_CLICK = timedelta(seconds=10)  # the second click may wait while the server is busy

followers = Table(
    "followers",
    Base.metadata,
    Column("follower_id", ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("followed_id", ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "followed_id", "follower_id"),
)


class Profile(Base):
    """What the Microblog knows of a user. A user has none before the first visit.

    `user.profile` is loaded with the user, in one query.
    """

    __tablename__ = "profile"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    about_me: Mapped[str] = mapped_column(String(POST_LENGTH), default="")
    last_seen: Mapped[datetime] = mapped_column(default=utcnow)
    user: Mapped[User] = relationship(
        backref=backref("profile", lazy="joined", uselist=False, passive_deletes="all")
    )


class Post(Base):
    """A post. Ids are in order of arrival: the newest post has the highest."""

    __tablename__ = "post"
    __table_args__ = (Index(None, "user_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[str] = mapped_column(String(POST_LENGTH))
    timestamp: Mapped[datetime] = mapped_column(default=utcnow)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    author: Mapped[User] = relationship()


def note_seen(user: Any) -> None:
    """Update `last_seen` of `user` at most once a minute, since each update costs a commit."""
    profile = user.profile
    if not profile:
        profile = user.profile = Profile(last_seen=datetime.min)
    if utcnow() - profile.last_seen >= timedelta(minutes=1):
        profile.last_seen = utcnow()
        try:
            db.session.commit()
        except DBAPIError:  # the database takes no writes now, or another request added the profile
            db.session.rollback()


def publish(author_id: int, body: str) -> None:
    """Add a post, unless the author has just written the same: a double click sends it twice."""
    # PostgreSQL needs the lock to see what another request adds meanwhile. SQLite has one writer.
    author = select(User.id).where(User.id == author_id)
    db.session.execute(author.with_for_update(key_share=True))
    now = utcnow()
    newest = select(Post.body, Post.timestamp).where(Post.user_id == author_id)
    last = newest.order_by(Post.id.desc()).limit(1).subquery()
    is_repeated = select(last).where(last.c.body == body, last.c.timestamp > now - DOUBLE_CLICK)
    values = literal(body), literal(now), literal(author_id)
    row = select(*values).where(~is_repeated.exists())
    db.session.execute(insert(Post).from_select(["body", "timestamp", "user_id"], row))
    db.session.commit()


def follow(follower_id: int, followed_id: int) -> None:
    """Add a user's posts to another user's timeline."""
    pair = {"follower_id": follower_id, "followed_id": followed_id}
    try:
        db.session.execute(insert(followers).values(pair))
        db.session.commit()
    except IntegrityError:  # an earlier click has done it
        db.session.rollback()


def unfollow(follower_id: int, followed_id: int) -> None:
    """Remove a user's posts from another user's timeline."""
    pair = followers.c.follower_id == follower_id, followers.c.followed_id == followed_id
    db.session.execute(delete(followers).where(*pair))
    db.session.commit()
