"""The queries of the pages.

Each statement is built once. Pages select the columns that they show, and nothing else of a user.
"""

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    ScalarSelect,
    SQLColumnExpression,
    bindparam,
    exists,
    func,
    select,
    union,
)
from sqlalchemy.orm import aliased

from app.extensions import db
from app.models import Post, User, followers
from app.pagination import (
    ID_MAX,
    PAGE_SIZE,
    AnyRow,
    AnySelect,
    Cursor,
    Nearest,
    Page,
    Statements,
    constant,
    newer,
    older,
    paginate,
)

COUNT_LIMIT = 1000  # a profile counts no further: an account may have any number of followers
READER = bindparam("reader", type_=User.id.type)
WINDOW = 500  # ids of posts, among which the posts of a timeline are looked for first


def all_posts(cursor: Cursor) -> Page:
    """Return a page of everybody's posts."""
    return paginate(cursor, ALL_POSTS)


def posts_of(user_id: int, cursor: Cursor) -> Page:
    """Return a page of a user's posts."""
    return paginate(cursor, POSTS_OF, author=user_id)


def timeline(reader_id: int, cursor: Cursor) -> Page:
    """Return a page of the posts of a reader and of those whom the reader follows."""
    return paginate(cursor, RECENT, TIMELINE, reader=reader_id)


def post(post_id: int) -> AnyRow | None:
    """Return a post, or None where there is none with that id."""
    return db.session.execute(POST, {"post": post_id}).first()


def followers_of(user_id: int, cursor: Cursor) -> Page:
    """Return a page of a user's followers, newest account first."""
    return paginate(cursor, FOLLOWERS_OF, user=user_id)


def followed_by(user_id: int, cursor: Cursor) -> Page:
    """Return a page of those whom a user follows, newest account first."""
    return paginate(cursor, FOLLOWED_BY, user=user_id)


def profile(username: str, reader_id: int) -> AnyRow | None:
    """Return what the profile of a user shows to a reader, or None where there is no such user.

    Counts stop at `COUNT_LIMIT` + 1.
    """
    if "\0" in username:  # PostgreSQL refuses NUL in a text
        return None
    return db.session.execute(PROFILE, {"username": username, "reader": reader_id}).first()


def recent_statement(nearest: Nearest, limit: int, window: int = WINDOW) -> AnySelect:
    """Return the statement of those posts of a timeline that are among the nearest `window` ids.

    It costs little, and is all that a reader needs who follows accounts that post often.
    """
    edge = nearest(select(Post.id), Post.id).limit(constant(1)).correlate(None).scalar_subquery()
    within = Post.id < edge + window if nearest is newer else Post.id > edge - window
    # With IN instead of EXISTS, SQLite reads and sorts all posts of the followed accounts.
    followed = exists().where(
        followers.c.follower_id == READER, followers.c.followed_id == Post.user_id
    )
    posts = columns_of(Post).where(within, (Post.user_id == READER) | followed)
    return nearest(posts, Post.id).limit(constant(limit))


def timeline_statement(nearest: Nearest, limit: int) -> AnySelect:
    """Return the statement of `timeline` in one direction, for pages of `limit` posts.

    Its cost depends on how many accounts the reader follows, not on how many posts there are. It
    looks up the nearest post of each account. Only the `limit` accounts with the nearest of these
    can have posts on the page, and of each of them at most `limit` posts are read.
    """
    written = aliased(Post)
    beyond = ID_MAX if nearest is newer else 0  # of an account with fewer than `n` posts

    def nth_post_of(account: SQLColumnExpression[int], n: int) -> ColumnElement[int]:
        posts = nearest(select(written.id).where(written.user_id == account), written.id)
        return func.coalesce(
            posts.limit(constant(1)).offset(constant(n - 1)).scalar_subquery(), beyond
        )

    followed = select(followers.c.followed_id).where(followers.c.follower_id == READER)
    account = union(select(READER.label("id")), followed).subquery()
    first = select(account.c.id, nth_post_of(account.c.id, 1).label("post_id")).subquery()
    in_order = first.c.post_id.asc() if nearest is newer else first.c.post_id.desc()
    active = select(first.c.id).order_by(in_order).limit(constant(limit)).subquery()
    last = nth_post_of(active.c.id, limit)
    posts = (
        columns_of(Post)
        .join(active, Post.user_id == active.c.id)
        .where(Post.id <= last if nearest is newer else Post.id >= last)
    )
    return nearest(posts, Post.id).limit(constant(limit))


def columns_of(post: type[Post]) -> AnySelect:
    """Return the statement that selects what pages show of posts."""
    return select(post.id, post.body, post.timestamp, post.user_id, User.username).join(post.author)


def count(rows: AnySelect, limit: int = COUNT_LIMIT + 1) -> ScalarSelect[int]:
    """Return the number of `rows` of the user of a profile, up to `limit`."""
    some: FromClause = rows.limit(constant(limit)).correlate(User).subquery()
    return select(func.count()).select_from(some).correlate(User).scalar_subquery()


def both(statement: AnySelect, id_: SQLColumnExpression[int]) -> Statements:
    """Return a statement in both directions of its rows' `id_`."""
    return Statements(
        *(nearest(statement, id_).limit(constant(PAGE_SIZE + 1)) for nearest in (older, newer))
    )


def people(member: Column[int], group: Column[int]) -> Statements:
    """Return the statement of the users in a column of `followers`, by the user in the other."""
    users = select(User.id, User.username, User.about_me).join(followers, User.id == member)
    return both(users.where(group == bindparam("user", type_=User.id.type)), member)


POST = columns_of(Post).where(Post.id == bindparam("post", type_=Post.id.type))
ALL_POSTS = both(columns_of(Post), Post.id)
POSTS_OF = both(
    columns_of(Post).where(Post.user_id == bindparam("author", type_=User.id.type)), Post.id
)
FOLLOWERS_OF = people(followers.c.follower_id, followers.c.followed_id)
FOLLOWED_BY = people(followers.c.followed_id, followers.c.follower_id)
RECENT = Statements(*(recent_statement(nearest, PAGE_SIZE + 1) for nearest in (older, newer)))
TIMELINE = Statements(*(timeline_statement(nearest, PAGE_SIZE + 1) for nearest in (older, newer)))
PROFILE = select(
    User.id,
    User.username,
    User.about_me,
    User.created,
    User.last_seen,
    count(select(Post.id).where(Post.user_id == User.id)).label("post_count"),
    count(select(followers.c.follower_id).where(followers.c.followed_id == User.id)).label(
        "follower_count"
    ),
    count(select(followers.c.followed_id).where(followers.c.follower_id == User.id)).label(
        "followed_count"
    ),
    exists()
    .where(followers.c.follower_id == READER, followers.c.followed_id == User.id)
    .label("is_followed"),
).where(func.lower(User.username) == func.lower(bindparam("username", type_=User.username.type)))
