"""The body is a working project in place: it needs no rendering. `make lint` runs ruff on it."""

import re
from pathlib import Path

import pytest

from tests.conftest import Installed
from tests.support.servers import Project
from tests.support.template import BODY, files

# What Python, linters, tests and the app leave where they run; Cookiecutter would bake it.
LEFTOVERS = {"__pycache__", "instance", ".env", ".venv", ".coverage"}


def test_no_jinja_in_python() -> None:
    """No Python file contains a Jinja tag."""
    texts = {path: path.read_text("utf-8") for path in BODY.rglob("*.py")}
    assert [path for path, text in texts.items() if re.search("{[{%#]", text)] == []


@pytest.mark.slow
def test_tests_run_in_place(installed: Installed, tmp_path: Path) -> None:
    """Tests of the unrendered body pass, and leave no file."""
    before = files(BODY)
    caches = {"PYTHONPYCACHEPREFIX": str(tmp_path), "HOME": str(tmp_path)}
    tests = ("tests/main", "tests/sentry/test_init.py", "tests/test_pages.py")
    Project(BODY, installed("test")).succeed("pytest", "-p", "no:cacheprovider", *tests, **caches)
    assert files(BODY) == before


def test_nothing_was_left_behind() -> None:
    """The body contains no cache, database or environment for Cookiecutter to bake."""
    parts = {part for name in files(BODY) for part in Path(name).parts}
    assert [part for part in parts if part in LEFTOVERS or part.endswith("_cache")] == []
