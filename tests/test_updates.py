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
EDITS = {  # of a file's first line by the template, and of its end by the owner
    "README.md": ("<!-- theirs -->\n", "\nOurs.\n"),
    "app/main/routes.py": ("# Theirs.\n", "\n\n# Ours.\n"),
    "app/static/style.css": ("/* theirs */\n", "\n.ours { }\n"),
    "pyproject.toml": ("# Theirs.\n", "\n[tool.ours]\n"),
}


@dataclass
class Updated:
    """A project, and its `.env` before and after `cruft update`."""

    path: Path
    browser_tracing: bool
    env: tuple[bytes, bytes]


@pytest.fixture(scope="module", params=[False, True], ids=["without browser", "with browser"])
def updated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Updated:
    """Bake a project, link it to the template, change both, and update the project."""
    terminal = Terminal(tmp_path_factory.mktemp("cruft"))
    template, project = (
        Shell(terminal.folder / name, terminal.variables) for name in ("template", "microblog")
    )
    for name in ("hooks", BODY.name):
        shutil.copytree(TEMPLATE / name, template.folder / name)
    shutil.copy(TEMPLATE / "cookiecutter.json", template.folder)
    template.commit()
    bake(terminal.folder, **GIVEN, browser_tracing=str(request.param))
    project.commit()
    link, update = commands(project.folder, template.folder)
    project.succeed(*link)
    (template.folder / BODY.name / "app/new.py").touch()
    for name, (theirs, ours) in EDITS.items():
        edit(template.folder / BODY.name / name, before=theirs)
        edit(project.folder / name, after=ours)
    edit(project.folder / ".env", after="OURS=1\n")
    template.commit()
    project.commit()
    before = (project.folder / ".env").read_bytes()
    project.succeed(*update)
    env = before, (project.folder / ".env").read_bytes()
    return Updated(project.folder, request.param, env)


def edit(path: Path, before: str = "", after: str = "") -> None:
    """Add text to the beginning and to the end of a file."""
    path.write_text(before + path.read_text("utf-8") + after, "utf-8")


def commands(project: Path, template: Path) -> list[list[str]]:
    """Return the commands of the project's README that call cruft, for a template on this disk."""
    lines = re.findall(r"^    uvx (cruft .+)", (project / "README.md").read_text("utf-8"), re.M)
    local = [line.replace("https://github.com/org/template", str(template)) for line in lines]
    return [[sys.executable, "-m", *shlex.split(line)] for line in local]


def test_link_keeps_the_answers(updated: Updated) -> None:
    """The link records the answers that were given, and no DSN."""
    cruft = json.loads((updated.path / ".cruft.json").read_text("utf-8"))
    answers = cruft["context"]["cookiecutter"]
    assert {key: answers[key] for key in PROMPTS} == {
        **ANSWERS,
        **GIVEN,
        "browser_tracing": updated.browser_tracing,
    }


def test_update_adds_new_files(updated: Updated) -> None:
    """A file that was added to the template arrives in the project."""
    assert (updated.path / "app/new.py").exists()


@pytest.mark.parametrize("name", EDITS)
def test_update_merges_edits(updated: Updated, name: str) -> None:
    """A file that both sides edited contains both edits."""
    text = (updated.path / name).read_text("utf-8")
    assert [edit.strip() in text for edit in EDITS[name]] == [True, True]


def test_update_keeps_the_choice(updated: Updated) -> None:
    """An update neither adds nor removes the files of the browser."""
    assert (updated.path / "browser").exists() == updated.browser_tracing


def test_update_keeps_secrets(updated: Updated) -> None:
    """The hooks run again and do not change `.env`, which the owner edited."""
    assert updated.env[0] == updated.env[1]


def test_update_has_no_conflicts(updated: Updated) -> None:
    """The secrets, which differ between bakes, cause no reject file."""
    assert [name for name in files(updated.path) if name.endswith(".rej")] == []
