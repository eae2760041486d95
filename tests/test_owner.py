"""What an owner does in the first week: a column, a table and a page, and the example goes out."""

import filecmp
import hashlib
import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.conftest import Installed
from tests.support.commands import Shell
from tests.support.containers import postgres, url_of
from tests.support.owners import change_models
from tests.support.servers import Project, env_of
from tests.support.template import BODY, files

EXAMPLE = re.compile(r"\b(micro)?blogs?\b|\bposts\b|\btimelines?\b|\bfollow(ers?|ed)\b", re.I)
HEX = hashlib.sha256(b"made up").hexdigest()[:40]
DESCRIBE = """
import json
from sqlalchemy import inspect, text
from app.extensions import db
from wsgi import app

def listed(found):  # in no particular order
    return found if isinstance(found, list) else [found]

with app.app_context():
    found = inspect(db.engine)
    kinds = ("indexes", "unique_constraints", "foreign_keys", "pk_constraint")
    tables = {
        name: [sorted(map(str, listed(getattr(found, f"get_{kind}")(name)))) for kind in kinds]
        for name in found.get_table_names()
    }
    rows = {name: db.session.scalar(text(f'SELECT count(*) FROM "{name}"')) for name in tables}
    print(json.dumps([tables, rows], default=str, sort_keys=True))
"""


@pytest.fixture
def project(cookies: Cookies, installed: Installed) -> Project:
    """Return the default project, committed."""
    project = Project(cookies.bake().project_path, installed("dev"))
    project.commit()
    return project


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        (f'revision = "{HEX[:12]}"', False),
        (f'down_revision = "{HEX[:12]}"', False),
        (f'  "commit": "{HEX}",', False),
        (f'      "_commit": "{HEX}",', False),
        (f'  "checkout": "{HEX}",', False),
        (f'token = "{HEX}"', True),
    ],
)
def test_ids_are_no_secrets(
    default_project: Path, tmp_path: Path, line: str, refused: bool
) -> None:
    """The commit hook accepts ids of migrations and of the template, and refuses a token."""
    config = yaml.safe_load((default_project / ".pre-commit-config.yaml").read_text("utf-8"))
    [entry] = [h["entry"] for r in config["repos"] for h in r["hooks"] if h["id"] == "secrets"]
    (tmp_path / "file").write_text(f"{line}\n")
    program, *arguments = shlex.split(entry)
    hook = Path(sys.executable).with_name(program)
    assert bool(Shell(tmp_path).run(hook, *arguments, "file").returncode) is refused


class Database(Shell):
    """A database, and the project that migrates it."""

    def __init__(self, project: Project, url: str) -> None:
        """Let the project's commands use the database."""
        settings = env_of(project.folder) | {"DATABASE_URL": url}
        super().__init__(project.folder, project.variables | settings)

    def describe(self) -> Any:
        """Return the indexes and constraints of each table, and its number of rows."""
        return json.loads(self.succeed("python", "-c", DESCRIBE).splitlines()[-1])


@pytest.fixture(params=["SQLite", pytest.param("PostgreSQL", marks=pytest.mark.containers)])
def database(
    request: pytest.FixtureRequest, project: Project, tmp_path: Path
) -> Iterator[Database]:
    """Return a database with the tables and sample rows of a project."""
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path / 'app.db'}"
        if request.param == "PostgreSQL":
            request.getfixturevalue("engine")
            url = url_of(stack.enter_context(postgres()))
        database = Database(project, url)
        database.succeed("flask", "db", "upgrade")
        database.succeed("flask", "seed")
        yield database


@pytest.mark.slow
def test_own_migration_loses_nothing(database: Database, project: Project) -> None:
    """An owner's migration and its way back keep every index, constraint and row."""
    before = database.describe()
    change_models(project)
    database.succeed("flask", "db", "migrate", "-m", "bills")
    database.succeed("flask", "db", "upgrade")
    [tables, rows], [old_tables, old_rows] = database.describe(), before
    assert rows == {**old_rows, "bill": 0}
    assert {name: tables[name] for name in old_tables if name != "user"} == {
        name: old_tables[name] for name in old_tables if name != "user"
    }
    assert tables["user"][1:] == old_tables["user"][1:]
    database.succeed("flask", "db", "downgrade")
    assert database.describe() == before


@pytest.mark.slow
@pytest.mark.containers
@pytest.mark.parametrize("database", ["PostgreSQL"], indirect=True)
def test_migrations_wait_for_each_other(database: Database) -> None:
    """Several containers may migrate at their start: one does, and the others wait for it."""
    database.succeed("flask", "db", "downgrade", "base")
    with ThreadPoolExecutor() as pool:
        done = pool.map(lambda _: database.run("flask", "db", "upgrade"), range(3))
        assert [result.returncode for result in done] == [0, 0, 0]


@pytest.mark.slow
def test_example_is_thrown_out(project: Project, cookies: Cookies) -> None:
    """Without the Microblog's two folders, one command leaves the skeleton and its migrations.

    test_newcomer.py lints and tests the skeleton.
    """
    project.succeed("flask", "db", "upgrade")
    project.succeed("flask", "seed")
    for folder in ("app/blog", "tests/blog"):
        shutil.rmtree(project.folder / folder)
    project.succeed("flask", "db", "migrate", "-m", "Remove the Microblog")
    project.succeed("flask", "db", "upgrade")
    project.succeed("flask", "db", "check")
    project.succeed("ruff", "check", "--no-cache", ".")
    project.succeed("ruff", "format", "--check", "--no-cache", ".")
    migrate = ("tests/test_migrations.py", "tests/test_health.py", "tests/auth/test_commands.py")
    project.succeed("pytest", "-p", "no:cacheprovider", *migrate)
    skeleton = cookies.bake(extra_context={"microblog": False}).project_path
    code = [name for name in files(skeleton) if name.startswith(("app/", "tests/"))]
    assert filecmp.cmpfiles(skeleton, project.folder, code, shallow=False)[1:] == ([], [])


def test_skeleton_has_no_word_of_the_example(cookies: Cookies) -> None:
    """Without the Microblog, no file of a project mentions posts, timelines or followers."""
    answers = {"microblog": False, "project_name": "Shop", "browser_tracing": True}
    folder = cookies.bake(extra_context=answers).project_path
    texts = {name: (folder / name).read_bytes().decode("utf-8", "ignore") for name in files(folder)}
    # The command that links a project to the template names all prompts.
    texts["README.md"] = re.sub(r".*cruft link.*", "", texts["README.md"])
    found = {name: EXAMPLE.search(text) for name, text in texts.items()}
    assert {name: match[0] for name, match in found.items() if match} == {}


def test_skeleton_names_no_part_that_may_be_absent() -> None:
    """No file of the skeleton names the folder of an option: a part is found where it is."""
    options = ("app/blog/", "tests/blog/", "app/sentry/browser/", "tests/sentry/browser/")
    modules = [n for n in files(BODY) if n.startswith(("app/", "tests/", "migrations/"))]
    skeleton = [name for name in modules if not name.startswith(options)]
    texts = {name: (BODY / name).read_bytes() for name in skeleton}
    named = re.compile(rb"app[./]blog|sentry[./]browser|blog/|browser/(head|crash_form)")
    assert [name for name, text in texts.items() if named.search(text)] == []
