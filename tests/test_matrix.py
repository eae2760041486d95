"""Projects of other answers: what an owner runs passes in them, too.

Answers change texts or remove files. So each option that removes files is tried alone, and all
answers are changed together; test_project.py has the default project.
"""

from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.servers import Project, install
from tests.support.snapshots import OPTIONS, title
from tests.support.template import BODY, CONTEXT, PROMPTS

pytestmark = pytest.mark.slow

SELECTIONS = [*((key,) for key in PROMPTS if isinstance(CONTEXT[key], bool)), tuple(PROMPTS)]


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment that all the projects share."""
    venv = tmp_path_factory.mktemp("matrix") / "venv"
    install(BODY / "requirements/dev.txt", venv)
    return venv


@pytest.fixture(scope="module", params=SELECTIONS, ids=title)
def owned(request: pytest.FixtureRequest, cookies_session: Cookies, venv: Path) -> Project:
    """Return the project of a selection of answers."""
    answers = {key: OPTIONS[key] for key in request.param}
    return Project(cookies_session.bake(extra_context=answers).project_path, venv)


def test_projects_share_a_lock(owned: Project) -> None:
    """The environment has what the project pins."""
    lock = Path("requirements/dev.txt")
    assert (owned.folder / lock).read_bytes() == (BODY / lock).read_bytes()


def test_types_are_right(owned: Project, venv: Path) -> None:
    """The project passes its type checker."""
    owned.succeed("mypy", "--cache-dir", venv / "mypy")


def test_own_tests_pass(owned: Project) -> None:
    """The project passes its own tests."""
    owned.succeed("pytest")


def test_models_and_migrations_agree(owned: Project) -> None:
    """The migrations of the project create what its models describe."""
    owned.succeed("flask", "db", "upgrade")
    assert "No new upgrade operations" in owned.succeed("flask", "db", "check")
