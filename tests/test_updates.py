"""A project that cruft keeps up to date with the template."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.baking import Terminal
from tests.support.commands import Shell
from tests.support.template import BODY, TEMPLATE, files

pytestmark = pytest.mark.slow

CRUFT = (sys.executable, "-m", "cruft")


@dataclass
class Updated:
    """A project, and its `.env` before and after `cruft update`."""

    path: Path
    env: tuple[bytes, bytes]


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Updated:
    """Create a project with cruft, change the template, and update the project."""
    terminal = Terminal(tmp_path_factory.mktemp("cruft"))
    template, project = (
        Shell(terminal.folder / name, terminal.variables) for name in ("template", "microblog")
    )
    for name in ("hooks", BODY.name):
        shutil.copytree(TEMPLATE / name, template.folder / name)
    shutil.copy(TEMPLATE / "cookiecutter.json", template.folder)
    template.commit()
    terminal.succeed(*CRUFT, "create", template.folder, "--no-input")
    project.commit()
    before = (project.folder / ".env").read_bytes()
    (template.folder / BODY.name / "app/new.py").touch()
    template.commit()
    project.succeed(*CRUFT, "update", "--skip-apply-ask")
    return Updated(project.folder, (before, (project.folder / ".env").read_bytes()))


def test_update_adds_new_files(updated: Updated) -> None:
    """A file that was added to the template arrives in the project."""
    assert (updated.path / "app/new.py").exists()


def test_update_keeps_secrets(updated: Updated) -> None:
    """The hooks run again and do not change `.env`."""
    assert updated.env[0] == updated.env[1]


def test_update_has_no_conflicts(updated: Updated) -> None:
    """The secrets, which differ between bakes, cause no reject file."""
    assert [name for name in files(updated.path) if name.endswith(".rej")] == []
