"""The command flask seed: sample users, follows and posts for an empty database."""

import random
import secrets
import sys
import tomllib
from datetime import timedelta
from pathlib import Path

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
PEOPLE = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


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
        about_me = PEOPLE.get(name, {}).get("about_me", "")
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
    texts = [(n, text) for n, person in enumerate(PEOPLE.values()) for text in person["posts"]]
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
