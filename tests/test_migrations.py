"""A database of the project's first version is migrated, on SQLite and on PostgreSQL."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.commands import Shell
from tests.support.containers import postgres, url_of
from tests.support.servers import Project, env_of, wait_for

pytestmark = pytest.mark.slow

FIRST = "0001"
RUN_SQL = """
import json, sys
from sqlalchemy import text
from app.extensions import db
from wsgi import app

with app.app_context():
    results = [db.session.execute(text(statement)) for statement in sys.argv[1:]]
    print(json.dumps([list(map(list, r)) for r in results if r.returns_rows], default=str))
    db.session.commit()
"""
INSERT = (
    """INSERT INTO "user" (id, username, email, password_hash, about_me, last_seen) VALUES
    (1, 'susan', 'susan@example.com', 'hash', 'I''m Susan. ✓', '2024-01-02 03:04:05'),
    (2, 'bob', 'bob@example.com', '', '', '2024-01-02 03:04:06')""",
    """INSERT INTO post (id, body, timestamp, user_id) VALUES
    (1, 'Hello', '2024-02-03 04:05:06', 1), (7, 'Grüße', '2024-02-03 04:05:07', 2)""",
    "INSERT INTO followers (follower_id, followed_id) VALUES (1, 2), (2, 1)",
)
SELECT = (
    'SELECT id, username, email, password_hash, about_me, last_seen FROM "user" ORDER BY id',
    "SELECT id, body, timestamp, user_id FROM post ORDER BY id",
    "SELECT follower_id, followed_id FROM followers ORDER BY follower_id",
)


class Database(Shell):
    """A database, and the project that migrates it."""

    def __init__(self, project: Project, url: str) -> None:
        """Let the project's commands use the database."""
        settings = env_of(project.folder) | {"DATABASE_URL": url}
        super().__init__(project.folder, project.variables | settings)

    def sql(self, *statements: str) -> Any:
        """Run statements and return the rows that each finds."""
        return json.loads(self.succeed("python", "-c", RUN_SQL, *statements).splitlines()[-1])


@pytest.fixture(
    scope="module", params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.containers)]
)
def database(
    request: pytest.FixtureRequest, project: Project, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """Return an empty database."""
    if request.param == "SQLite":
        yield Database(project, f"sqlite:///{tmp_path_factory.mktemp('old') / 'app.db'}")
        return
    request.getfixturevalue("engine")
    with postgres() as container:
        server = Database(project, url_of(container))
        wait_for(lambda: server.run("flask", "db", "current").returncode == 0, "PostgreSQL")
        yield server


@pytest.fixture
def old(database: Database) -> Database:
    """Return a database with the schema of the first version, and with rows."""
    database.succeed("flask", "db", "downgrade", "base")
    database.succeed("flask", "db", "upgrade", FIRST)
    database.sql(*INSERT)
    return database


def test_rows_survive_upgrade(old: Database) -> None:
    """An upgrade to the newest schema keeps the rows of the first version."""
    before = old.sql(*SELECT)
    old.succeed("flask", "db", "upgrade")
    assert old.sql(*SELECT) == before


def test_rows_survive_downgrade(old: Database) -> None:
    """A downgrade to the first schema keeps the rows, too."""
    before = old.sql(*SELECT)
    old.succeed("flask", "db", "upgrade")
    old.succeed("flask", "db", "downgrade", FIRST)
    assert old.sql(*SELECT) == before


def test_duplicates_are_refused(old: Database) -> None:
    """If users differ only in case, the migration changes nothing and says what to do."""
    old.sql("""UPDATE "user" SET username = 'SUSAN' WHERE id = 2""")
    refused = old.run("flask", "db", "upgrade").stderr
    assert re.search(r"ids are 1, 2\..*\nUPDATE", refused)
    assert FIRST in old.succeed("flask", "db", "current")
