"""The command flask seed: sample users, follows and posts for an empty database."""

import random
import secrets
import sys
from datetime import timedelta

import click
from flask.cli import with_appcontext
from sqlalchemy import insert, select

from app.auth.commands import require_tables
from app.auth.models import User, utcnow
from app.auth.passwords import hash_of
from app.blog.models import Post, Profile, followers
from app.extensions import db

BATCH = 10_000
SPAN = timedelta(days=7)  # the age of the oldest post
PEOPLE = {  # what each says about themselves, and their posts
    "susan": (
        "Flask by day, tea by night.",
        "Good morning! Tea first, then the backlog.",
        "Shipped on a Friday. Nothing broke. Still suspicious.",
        "@david the staging server is slow again, can you have a look?",
        "TIL that `flask routes` prints all routes. I have been using grep for five years 😅",
        "anyone else coming to the meetup on thursday?",
        "Rain all day. The cat and I have agreed to stay in.",
        "Finally read the Jinja docs from start to end. Half of my filters already exist.",
        "Does anyone know a good book on accessibility? Asking for a whole team.",
    ),
    "david": (
        "Keeps servers up and expectations down.",
        "It was DNS.",
        "@susan restarted it. Please don't ask what it was.",
        "3 a.m. page, 3.02 a.m. false alarm, 3.03 a.m. wide awake",
        "The backup works. I know because I restored it, not because it said so.",
        "New keyboard day ⌨️",
        "If you rename a host on a Monday you deserve the rest of the week",
        "Disk is at 91 %. Deleting logs about the disk being full.",
        "Lunch was a sandwich over the rack. Would not recommend.",
    ),
    "maria": (
        "Debugging is gardening: mostly weeds.",
        "Two days for a missing comma. Going for a walk.",
        "First tomatoes on the balcony! 🍅",
        "Read the stack trace from the bottom. Every time. Even when you think you know.",
        "Hot take: print() is a debugger.",
        "@chen your query was right, my test data was wrong. Sorry!",
        "I can't reproduce it here, which is the worst sentence there is.",
        "¿Quién más lee los registros antes del desayuno?",
        "Fixed it. No idea why it ever worked.",
    ),
    "chen": (
        "SQL is my love language. https://sqlite.org",
        "One index, and the report takes 40 ms. It took four minutes on Monday.",
        "Today in meetings: is NULL a value? (no)",
        "@maria no problem, it made me find a second bug",
        "Looking for somebody to play badminton on Wednesdays, near the station.",
        "https://use-the-index-luke.com is still the best thing to read on a train.",
        "Migrated the old database. 212 tables, 9 of them in use.",
        "dumplings 🥟",
        "Whoever wrote SELECT * in that loop: it was me, in March.",
    ),
    "amara": (
        "Mother of two, maintainer of three.",
        "Release is out! Thanks to the eleven people who sent patches ❤️",
        "My daughter asked what I do all day. I showed her the issue tracker. She hugged me.",
        "Please, please add the version to your bug report.",
        "School run, stand-up, review, school run, deploy.",
        "@john thank you for the tests, merged!",
        "Dropped support for Python 3.10 and deleted 400 lines. Best hour of the week.",
        "Is there any coffee left in this city",
        "Half of https://docs.python.org/3/library/ is news to me, every time.",
    ),
    "john": (
        "Writes tests first. Well, second.",
        "All green on the first run. Now I have to find out what I forgot to test.",
        "@amara that was quick!",
        "Flaky test number 7: it only fails in the last week of October.",
        "Ran 10 km before work. My legs have filed an issue.",
        '"It\'s only a small change" he said, and was never seen again',
        "Who has slides on property-based testing that I may borrow?",
        "Coverage went up because I deleted code. That counts.",
        "Week 3 of sourdough. It is edible now.",
    ),
    "yuki": (
        "Liest mehr, als sie schreibt.",
        "Guten Morgen aus dem Zug. Zwölf Minuten Verspätung, dafür ein Sitzplatz.",
        "Reading old commit messages feels like meeting my former self. She was in a hurry.",
        "@leila your talk was great, are the slides online?",
        "Das Buch ist aus, und jetzt? Empfehlungen bitte!",
        "Changed one word in an error message. Support tickets are down by a third.",
        "おはよう ☀️",
        "Bin heute nur halb da. Zahnarzt.",
        "I like how quiet it is here.",
    ),
    "leila": (
        "طبيبة تحب البرمجة",
        "صباح الخير! القهوة أولاً، ثم الاختبارات.",
        "@yuki شكراً! الشرائح هنا: https://example.com/slides @susan",
        "Night shift is over. Who wants to talk me out of learning Rust?",
        "My first patch to a project that I use every day was merged today!",
        "أبحث عن كتاب جيد عن قواعد البيانات، هل من اقتراح؟",
        "Patients ask better questions than most bug reports.",
        "مطر أخيراً 🌧️",
        "Why are there four ways to parse a date, and why is mine the fifth",
    ),
}


@click.command()
@click.option("--size", default=60, show_default=True, type=click.IntRange(1), help="Posts.")
@with_appcontext
def seed(size: int) -> None:
    """Fill an empty database with users who follow each other, and with posts."""
    require_tables()
    name = next(iter(PEOPLE))
    if db.session.scalar(select(User.id).limit(1)):
        click.echo("There are users already, so nothing was added.")
        click.echo(f"To log in, choose a new password: {sys.argv[0]} set-password {name}")
        return
    password = secrets.token_urlsafe(9)
    users = add_users(max(len(PEOPLE), min(size // 100, 1000)), password)
    add_follows(users)
    add_posts(users, size)
    click.echo(f"Log in as {name} with the password {password}")


def add_users(count: int, password: str) -> list[int]:
    """Add `count` users with one `password`, and return their ids."""
    shared = {"password_hash": hash_of(password), "created": utcnow() - SPAN}
    for name in [*PEOPLE, *(f"user{n}" for n in range(len(PEOPLE), count))]:
        user = User(username=name, email=f"{name}@example.com", **shared)
        about_me = PEOPLE[name][0] if name in PEOPLE else ""
        db.session.add(Profile(user=user, about_me=about_me))
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
    """Add `size` posts of the last week, oldest first, and print a line after each batch.

    Times are random, and more of them are recent. All texts are used before one is repeated.
    """
    generator = random.Random(size)
    ages = sorted((generator.random() ** 2 for _ in range(size)), reverse=True)
    texts = [(n, text) for n, (_, *posts) in enumerate(PEOPLE.values()) for text in posts]
    generator.shuffle(texts)
    now = utcnow()
    for first in range(0, size, BATCH):
        rows = []
        for number, age in enumerate(ages[first : first + BATCH], start=first):
            person, body = texts[number % len(texts)]
            author = generator.choice(users[person :: len(PEOPLE)])
            rows.append({"body": body, "user_id": author, "timestamp": now - SPAN * age})
        db.session.execute(insert(Post), rows)
        db.session.commit()
        click.echo(f"{first + len(rows):,} of {size:,} posts")
