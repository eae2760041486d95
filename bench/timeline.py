"""Measure the first page of the timeline with a thousand to a million posts.

This prints milliseconds (best of 20) for a reader who follows 500 accounts, and for one who follows
a single account whose only post is the oldest. The database is SQLite, or the empty one that
DATABASE_URL names.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (1_000, 30_000, 1_000_000)
WRITERS = range(3, 1_003)
FOLLOWED_BY = {1: range(3, 503), 2: [1_003]}
BATCH = 20_000
ROUNDS = 20


def main() -> None:
    """Bake the default project, install it, and measure in its environment."""
    from tests.support.baking import bake
    from tests.support.containers import UNUSED_KEY
    from tests.support.servers import install

    with tempfile.TemporaryDirectory() as folder:
        project = bake(Path(folder))
        install(project / "requirements/prod.txt", Path(folder) / "venv")
        python = Path(folder) / "venv/bin/python"
        url = os.environ.get("DATABASE_URL", f"sqlite:///{folder}/timeline.db")
        settings = {"DATABASE_URL": url, "SECRET_KEY": UNUSED_KEY, "PYTHONPATH": str(project)}
        subprocess.run([python, __file__, "measure"], env=settings, check=True)


def measure() -> None:
    """Print a line for each size."""
    from app import create_app
    from app.extensions import db

    with create_app().app_context():
        print(f"{'posts':>10} {'follows 500':>12} {'follows 1':>12}   ms, {db.engine.name}")
        db.create_all()
        add_readers()
        there = 1
        for size in SIZES:
            add_posts(there, size)
            there = size
            print(f"{size:>10,} {first_page(1):>12.2f} {first_page(2):>12.2f}", flush=True)
        db.drop_all()


def add_readers() -> None:
    """Add all accounts, the follows of the two readers, and the quiet account's only post."""
    from app.extensions import db
    from app.models import Post, User, followers
    from sqlalchemy import insert

    ids = [*FOLLOWED_BY, *WRITERS, 1_003]
    users = [{"id": n, "username": f"u{n}", "email": f"u{n}", "password_hash": ""} for n in ids]
    follows = [
        {"follower_id": one, "followed_id": other}
        for one, others in FOLLOWED_BY.items()
        for other in others
    ]
    db.session.execute(insert(User), users)
    db.session.execute(insert(followers), follows)
    db.session.execute(insert(Post), [{"id": 1, "body": "Hello", "user_id": 1_003}])
    db.session.commit()


def add_posts(first: int, last: int) -> None:
    """Add posts with the ids after `first` up to `last`, by writers drawn at random."""
    from app.extensions import db
    from app.models import Post
    from sqlalchemy import insert, text

    dice = random.Random(last)
    for start in range(first + 1, last + 1, BATCH):
        ids = range(start, min(start + BATCH, last + 1))
        rows = [{"id": n, "body": "x" * 80, "user_id": dice.choice(WRITERS)} for n in ids]
        db.session.execute(insert(Post), rows)
        db.session.commit()
    db.session.execute(text("ANALYZE"))
    db.session.commit()


def first_page(reader_id: int) -> float:
    """Return the milliseconds that a reader's first page takes."""
    from app.extensions import db
    from app.pagination import Cursor
    from app.timelines import timeline

    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        timeline(reader_id, Cursor())
        times.append(time.perf_counter() - start)
        db.session.rollback()
    return min(times) * 1000


if __name__ == "__main__":
    measure() if "measure" in sys.argv else main()
