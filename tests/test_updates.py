"""A project that cruft keeps in step with the template."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Terminal
from helpers import BODY, TEMPLATE, files

pytestmark = pytest.mark.slow

GIT = ("git", "-c", "user.name=Test", "-c", "user.email=test@example.com")


@dataclass
class Updated:
    """A project before and after `cruft update`."""

    path: Path
    env: tuple[bytes, bytes]


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Updated:
    """Create a project with cruft, change the template, and update the project."""
    terminal = Terminal(tmp_path_factory.mktemp("cruft"))

    def commit(folder: str) -> None:
        """Commit all that lies in a folder."""
        for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "All"]):
            assert terminal.run(*GIT, *command, folder=folder).returncode == 0

    def cruft(*arguments: str, folder: str) -> None:
        """Run cruft; it must succeed."""
        run = terminal.run(sys.executable, "-m", "cruft", *arguments, folder=folder)
        assert run.returncode == 0, run.stdout + run.stderr

    template, project = (terminal.root / "here" / name for name in ("template", "microblog"))
    for name in ("hooks", BODY.name):
        shutil.copytree(TEMPLATE / name, template / name)
    shutil.copy(TEMPLATE / "cookiecutter.json", template)
    commit("template")
    cruft("create", str(template), "--no-input", folder=".")
    commit("microblog")
    before = (project / ".env").read_bytes()
    (template / BODY.name / "app/new.py").touch()
    commit("template")
    cruft("update", "--skip-apply-ask", folder="microblog")
    return Updated(project, (before, (project / ".env").read_bytes()))


def test_update_brings_what_is_new(updated: Updated) -> None:
    """What the template has learned arrives in the project."""
    assert (updated.path / "app/new.py").exists()


def test_update_keeps_secrets(updated: Updated) -> None:
    """The hooks run again, and leave `.env` alone."""
    assert updated.env[0] == updated.env[1]


def test_update_has_no_conflicts(updated: Updated) -> None:
    """Secrets, which differ from bake to bake, do not end in a reject file."""
    assert [name for name in files(updated.path) if name.endswith(".rej")] == []
