"""The body is a working project in place: unrendered, with no Jinja in its Python."""

from pathlib import Path

import pytest
from helpers import BODY, files, parse, ruff_complaints

# What Python, linters, tests and the app leave where they run; Cookiecutter would bake it.
LEFTOVERS = {"__pycache__", "instance", ".env", ".venv", ".coverage"}


def test_no_jinja_in_python() -> None:
    """Every answer that Python needs is read at run time."""
    modules = [name for name in files(BODY) if name.endswith(".py")]
    assert [name for name in modules if {"{{", "{%", "{#"} & tags((BODY / name).read_text())] == []


def tags(text: str) -> set[str]:
    """Return the Jinja tags that a text opens."""
    return {tag for tag in ("{{", "{%", "{#") if tag in text}


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_ruff_works_in_place(command: str) -> None:
    """Linting and formatting need no bake."""
    assert ruff_complaints(command, BODY) == ""


def test_settings_parse_unrendered() -> None:
    """Tools that run in place can read pyproject.toml as it stands."""
    assert parse(BODY / "pyproject.toml")["project"]["name"] == "{{ cookiecutter.project_slug }}"


def test_nothing_was_left_behind() -> None:
    """Whatever ran in place left no file for Cookiecutter to bake."""
    parts = {part for name in files(BODY) for part in Path(name).parts}
    assert [part for part in parts if part in LEFTOVERS or part.endswith("_cache")] == []
