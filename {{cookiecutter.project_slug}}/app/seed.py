"""Sample users, follows and posts for an empty database."""

import random
from datetime import timedelta

import click
from sqlalchemy import insert, select

from app.extensions import db
from app.models import Post, User, followers, utcnow

BATCH = 10_000
SPAN = timedelta(days=7)  # the age of the oldest post
ABOUT = {
    "susan": "Flask by day, tea by night.",
    "david": "Keeps servers up and expectations down.",
    "maria": "Debugging is gardening: mostly weeds.",
    "chen": "SQL is my love language. https://sqlite.org",
    "amara": "Mother of two, maintainer of three.",
    "john": "Writes tests first. Well, second.",
    "yuki": "Liest mehr, als sie schreibt.",
    "leila": "طبيبة تحب البرمجة",
}
TEXTS = (
    "Good morning! Coffee first, then the backlog.",
    "Does anyone else name their test users after their cats?",
    "Shipped on a Friday. Nothing broke. Still suspicious.",
    "The best error message is the one you never see. The second best has a link.",
    "Reading old commit messages is like meeting a former self.",
    "It was DNS. It is always DNS.",
    "A walk in the rain solved what three hours at the desk did not.",
    "Just deleted 400 lines, and all the tests still pass.",
    "If it is not monitored, it is not in production.",
    "Today's lesson: read the stack trace from the bottom.",
    "Who comes to the meetup tonight? @leila and @yuki speak.",
    "Half of https://docs.python.org/3/library/ is news to me, every time.",
    "¿Quién más lee los registros antes del desayuno?",
    "صباح الخير! القهوة أولاً، ثم الاختبارات.",
    "Wrote a cron job. It mails me that it works. I filter its mails. 🙈",
)


def fill(size: int, password: str) -> None:
    """Add `size` posts, and users who write them and follow each other."""
    users = add_users(max(len(ABOUT), min(size // 100, 1000)), password)
    add_follows(users)
    add_posts(users, size)


def add_users(count: int, password: str) -> list[int]:
    """Add `count` users with one `password`, and return their ids."""
    hashed = User()
    hashed.set_password(password)
    shared = {"password_hash": hashed.password_hash, "created": utcnow() - SPAN}
    names = [*ABOUT, *(f"user{n}" for n in range(len(ABOUT), count))]
    rows = [
        {"username": n, "email": f"{n}@example.com", "about_me": ABOUT.get(n, ""), **shared}
        for n in names
    ]
    db.session.execute(insert(User), rows)
    db.session.commit()
    return list(db.session.scalars(select(User.id).order_by(User.id)))


def add_follows(users: list[int]) -> None:
    """Let the first user follow up to 500 others, and all others the next three."""
    pairs = [(users[0], other) for other in users[1:501]]
    for place, follower in enumerate(users[1:], start=1):
        pairs += [(follower, users[(place + step) % len(users)]) for step in (1, 2, 3)]
    rows = [{"follower_id": one, "followed_id": other} for one, other in pairs]
    db.session.execute(insert(followers), rows)
    db.session.commit()


def add_posts(users: list[int], size: int) -> None:
    """Add `size` posts of the last week, oldest first, and print a line after each batch."""
    generator = random.Random(size)
    start = utcnow() - SPAN
    last_of: dict[int, str] = {}
    body = ""
    for first in range(0, size, BATCH):
        last = min(first + BATCH, size)
        rows = []
        for n in range(first, last):
            author = generator.choice(users)
            body = generator.choice([x for x in TEXTS if x not in (body, last_of.get(author))])
            last_of[author] = body
            time = start + SPAN / size * (n + 1)
            rows.append({"body": body, "user_id": author, "timestamp": time})
        db.session.execute(insert(Post), rows)
        db.session.commit()
        click.echo(f"{last:,} of {size:,} posts")
