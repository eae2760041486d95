"""A project that cruft keeps up to date with the template."""

import json
import re
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.baking import Terminal, bake
from tests.support.commands import Shell
from tests.support.template import ANSWERS, BODY, PROMPTS, TEMPLATE, files

pytestmark = pytest.mark.slow

GIVEN = {"project_name": 'It\'s "mine" & so', "project_slug": "microblog", "release": "2.0.0"}


@dataclass
class Updated:
    """A project, and its `.env` before and after `cruft update`."""

    path: Path
    env: tuple[bytes, bytes]


@pytest.fixture(scope="module")
def updated(tmp_path_factory: pytest.TempPathFactory) -> Updated:
    """Bake a project, link it to the template, change the template, and update the project."""
    terminal = Terminal(tmp_path_factory.mktemp("cruft"))
    template, project = (
        Shell(terminal.folder / name, terminal.variables) for name in ("template", "microblog")
    )
    for name in ("hooks", BODY.name):
        shutil.copytree(TEMPLATE / name, template.folder / name)
    shutil.copy(TEMPLATE / "cookiecutter.json", template.folder)
    template.commit()
    bake(terminal.folder, **GIVEN)
    project.commit()
    before = (project.folder / ".env").read_bytes()
    link, update = commands(project.folder, template.folder)
    project.succeed(*link)
    project.commit()
    (template.folder / BODY.name / "app/new.py").touch()
    template.commit()
    project.succeed(*update)
    return Updated(project.folder, (before, (project.folder / ".env").read_bytes()))


def commands(project: Path, template: Path) -> list[list[str]]:
    """Return the commands of the project's README that call cruft, for a template on this disk."""
    lines = re.findall(r"^    uvx (cruft .+)", (project / "README.md").read_text("utf-8"), re.M)
    local = [line.replace("https://github.com/org/template", str(template)) for line in lines]
    return [[sys.executable, "-m", *shlex.split(line)] for line in local]


def test_link_keeps_the_answers(updated: Updated) -> None:
    """The link records the answers that were given, and no DSN."""
    cruft = json.loads((updated.path / ".cruft.json").read_text("utf-8"))
    answers = cruft["context"]["cookiecutter"]
    assert {key: answers[key] for key in PROMPTS} == {**ANSWERS, **GIVEN}


def test_update_adds_new_files(updated: Updated) -> None:
    """A file that was added to the template arrives in the project."""
    assert (updated.path / "app/new.py").exists()


def test_update_keeps_secrets(updated: Updated) -> None:
    """The hooks run again and do not change `.env`."""
    assert updated.env[0] == updated.env[1]


def test_update_has_no_conflicts(updated: Updated) -> None:
    """The secrets, which differ between bakes, cause no reject file."""
    assert [name for name in files(updated.path) if name.endswith(".rej")] == []
