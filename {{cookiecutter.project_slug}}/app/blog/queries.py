"""The queries of the pages.

Each statement is built once. Pages select the columns that they show, and nothing else of a user.
"""

from sqlalchemy import Column, SQLColumnExpression, bindparam, exists, func, select, union
from sqlalchemy.orm import aliased

from app.auth.models import User
from app.blog.models import Post, Profile, followers
from app.blog.pagination import BEFORE, PAGE_SIZE, AnyRow, AnySelect
from app.extensions import db
from app.text import fold

COUNT_LIMIT = 1000  # a profile counts no further: an account may have any number of followers
READER = bindparam("reader", type_=User.id.type)
OWNER = bindparam("owner", type_=User.id.type)
readers = followers.alias()  # lists of people join the table, too
IS_FOLLOWED = (
    exists()
    .where(readers.c.follower_id == READER, readers.c.followed_id == User.id)
    .label("is_followed")
)


def post(post_id: int) -> AnyRow | None:
    """Return a post, or None where there is none with that id."""
    return db.session.execute(POST, {"post": post_id}).first()


def profile(username: str, reader_id: int) -> AnyRow | None:
    """Return what the profile of a user shows to a reader, or None where there is no such user.

    Counts stop at `COUNT_LIMIT` + 1.
    """
    return db.session.execute(PROFILE, {"key": fold(username), "reader": reader_id}).first()


def capped(count: int) -> str:
    """Return a count of a profile as text."""
    return f"{COUNT_LIMIT:,}+" if count > COUNT_LIMIT else f"{count:,}"


def select_posts() -> AnySelect:
    """Return the statement that selects what pages show of posts."""
    return select(Post.id, Post.body, Post.timestamp, Post.user_id, User.username).join(Post.author)


def newest(
    statement: AnySelect, id_: SQLColumnExpression[int], limit: int = PAGE_SIZE + 1
) -> AnySelect:
    """Return the statement of the first `limit` rows before `BEFORE`, newest first."""
    return statement.where(id_ < BEFORE).order_by(id_.desc()).limit(limit)


def timeline_statement(limit: int = PAGE_SIZE + 1) -> AnySelect:
    """Return the statement of the first `limit` posts of a timeline before `BEFORE`.

    Its cost depends on how many accounts the reader follows, not on how many posts there are. It
    looks up the newest post of each account. Only the `limit` accounts with the newest of these can
    have posts on the page, and of each of them at most `limit` posts are read.
    """
    written = aliased(Post)

    def nth_post_of(account: SQLColumnExpression[int], n: int) -> SQLColumnExpression[int]:
        posts = select(written.id).where(written.user_id == account)
        nth = newest(posts, written.id, limit=1).offset(n - 1).scalar_subquery()
        return func.coalesce(nth, 0)  # 0 where the account has fewer posts

    followed = select(followers.c.followed_id).where(followers.c.follower_id == READER)
    account = union(select(READER.label("id")), followed).subquery()
    first = select(account.c.id, nth_post_of(account.c.id, 1).label("post_id")).subquery()
    active = select(first.c.id).order_by(first.c.post_id.desc()).limit(limit).subquery()
    posts = select_posts().join(active, Post.user_id == active.c.id)
    return newest(posts.where(Post.id >= nth_post_of(active.c.id, limit)), Post.id, limit)


def people(member: Column[int], group: Column[int]) -> AnySelect:
    """Return the statement of the users in a column of `followers`, by the user in the other."""
    users = select(User.id, User.username, Profile.about_me, IS_FOLLOWED)
    users = users.join(followers, User.id == member)
    users = users.outerjoin(Profile, Profile.user_id == User.id)
    return newest(users.where(group == OWNER), member)


def count(rows: AnySelect, limit: int = COUNT_LIMIT + 1) -> SQLColumnExpression[int]:
    """Return the number of `rows` of the user of a profile, up to `limit`."""
    counted = rows.limit(limit).correlate(User).subquery()
    return select(func.count()).select_from(counted).correlate(User).scalar_subquery()


POST = select_posts().where(Post.id == bindparam("post", type_=Post.id.type))
ALL_POSTS = newest(select_posts(), Post.id)
POSTS_OF = newest(select_posts().where(Post.user_id == OWNER), Post.id)
TIMELINE = timeline_statement()
FOLLOWERS_OF = people(followers.c.follower_id, followers.c.followed_id)
FOLLOWED_BY = people(followers.c.followed_id, followers.c.follower_id)
PROFILE: AnySelect = (
    select(
        User.id,
        User.username,
        User.created,
        Profile.about_me,
        Profile.last_seen,
        count(select(Post.id).where(Post.user_id == User.id)).label("post_count"),
        count(select(followers.c.follower_id).where(followers.c.followed_id == User.id)).label(
            "follower_count"
        ),
        count(select(followers.c.followed_id).where(followers.c.follower_id == User.id)).label(
            "followed_count"
        ),
        IS_FOLLOWED,
    )
    .outerjoin(Profile, Profile.user_id == User.id)
    .where(User.username_key == bindparam("key", type_=User.username_key.type))
)
