"""Measure whether pages take longer when the tables grow, on SQLite and on PostgreSQL.

The requests run in one process of the default project.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROUNDS = 50
BATCH = 20_000
PASSWORD = "correct horse"  # noqa: S105
READERS = {"timeline of a reader who follows 500": 1, "timeline of one who follows a quiet one": 2}
WRITERS = range(3, 1_003)
QUIET, POPULAR = 1_003, 1_004  # an account whose only post is the oldest, one with many followers
SMALL = {"posts": 1_000, "followers": 10}
LARGE = {"posts": 1_000_000, "followers": 100_000}
QUICK = {"posts": 30_000, "followers": 3_000}


def run(quick: bool) -> list[Any]:
    """Bake the default project, measure in its environment, and return the tables."""
    from bench.report import Table, progress
    from tests.support.baking import bake
    from tests.support.commands import HERE
    from tests.support.containers import UNUSED_KEY, postgres, url_of
    from tests.support.servers import install

    tables = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        project = bake(Path(folder))
        install(project / "requirements/prod.txt", Path(folder) / "venv")
        urls = {"SQLite": f"sqlite:///{folder}/growth.db"}
        if HERE.run("docker", "info").returncode == 0:
            urls["PostgreSQL"] = url_of(servers.enter_context(postgres()))
        for name, url in urls.items():
            progress(f"{name}: fills and measures")
            settings = {"DATABASE_URL": url, "SECRET_KEY": UNUSED_KEY, "PYTHONPATH": str(project)}
            command = (f"{folder}/venv/bin/python", __file__, json.dumps(QUICK if quick else LARGE))
            printed = subprocess.check_output(command, env=settings, text=True)
            columns = ["page", "small", "large", "ms, small", "ms, large", "ratio"]
            title = f"{name}: least milliseconds of {ROUNDS} requests"
            tables.append(Table(title, columns, json.loads(printed.splitlines()[-1])))
    return tables


def measure(large: dict[str, int]) -> list[list[str]]:
    """Return a row for each page: both sizes, the milliseconds at each, and their ratio."""
    from app import create_app
    from app.extensions import db
    from app.limits import limiter

    app = create_app()
    app.config["WTF_CSRF_ENABLED"] = False
    limiter.enabled = False
    with app.app_context():
        db.create_all()
        create_readers()
        grow({"posts": 0, "followers": 0}, SMALL)
    small = dict(pages(app))
    with app.app_context():
        grow(SMALL, large)
    rows = []
    for (page, table), after in pages(app):
        sizes = [f"{size[table]:,} {table}" for size in (SMALL, large)]
        times = (small[page, table], after, after / small[page, table])
        rows.append([page, *sizes, *(f"{time:.2f}" for time in times)])
    return rows


def pages(app: Any) -> Iterator[tuple[tuple[str, str], float]]:
    """Yield each page with the table that it depends on, and its least milliseconds."""
    for page, reader in READERS.items():
        client = logged_in(app, reader)
        yield (page, "posts"), least(client, "/")
    client = logged_in(app, 1)
    yield ("explore", "posts"), least(client, "/explore")
    yield ("profile", "followers"), least(client, f"/user/u{POPULAR}")


def logged_in(app: Any, user_id: int) -> Any:
    """Return a browser in which a user is logged in."""
    client = app.test_client()
    client.post("/auth/login", data={"username": f"u{user_id}", "password": PASSWORD})
    return client


def least(client: Any, path: str) -> float:
    """Return the milliseconds of the fastest request for a page."""
    took = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        assert client.get(path).status_code == 200
        took.append(time.perf_counter() - start)
    return min(took) * 1000


def create_readers() -> None:
    """Add the accounts that matter, what the readers follow, and the oldest post."""
    from app.blog.models import Post, followers
    from werkzeug.security import generate_password_hash

    add_users(range(1, POPULAR + 1), generate_password_hash(PASSWORD, "pbkdf2:sha256:1"))
    follows = [(1, other) for other in WRITERS[:500]] + [(2, QUIET)]
    add(followers, [{"follower_id": one, "followed_id": other} for one, other in follows])
    add(Post, [{"body": "Hello", "user_id": QUIET}])


def grow(old: dict[str, int], new: dict[str, int]) -> None:
    """Add posts, and users who follow the popular account, up to the new sizes."""
    from app.blog.models import Post, followers
    from app.extensions import db
    from sqlalchemy import text

    writers = [WRITERS[n % len(WRITERS)] for n in range(old["posts"], new["posts"])]
    add(Post, [{"body": "x" * 80, "user_id": writer} for writer in writers])
    fans = range(POPULAR + 1 + old["followers"], POPULAR + 1 + new["followers"])
    add_users(fans, "hash")
    add(followers, [{"follower_id": fan, "followed_id": POPULAR} for fan in fans])
    # PostgreSQL's autovacuum does this after so many inserts.
    statement = "VACUUM ANALYZE" if db.engine.name == "postgresql" else "ANALYZE"
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))


def add_users(numbers: range, password_hash: str) -> None:
    """Add users, whose ids the database draws: in order, and from 1 on."""
    from app.auth.models import User

    rows = []
    for n in numbers:
        names = {"username": f"u{n}", "email": f"u{n}@mail.example.com"}
        keys = {f"{column}_key": text for column, text in names.items()}
        rows.append({**names, **keys, "password_hash": password_hash})
    add(User, rows)


def add(table: Any, rows: list[dict[str, Any]]) -> None:
    """Insert rows, in batches."""
    from app.extensions import db
    from sqlalchemy import insert

    for first in range(0, len(rows), BATCH):
        db.session.execute(insert(table), rows[first : first + BATCH])
        db.session.commit()


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(sys.argv[1]))))
