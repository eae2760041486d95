"""Cookiecutter in a real terminal: typing, interrupts, a git URL, a killed bake, two at once."""

import signal
import subprocess
from pathlib import Path

import pexpect
import pytest
from dotenv import dotenv_values

from tests.support.baking import COOKIECUTTER, Terminal
from tests.support.hooks import DEFAULT_FILES
from tests.support.template import ANSWERS, DSN, PROMPTS, files
from tests.support.updates import copy_sources

pytestmark = pytest.mark.slow


def answer(child: "pexpect.spawn[str]", count: int) -> None:
    """Press Enter at the first prompts."""
    for number in range(1, count + 1):
        child.expect_exact(f"[{number}/{len(PROMPTS)}]")
        child.sendline()


def test_enter_takes_the_defaults(terminal: Terminal) -> None:
    """A person who presses Enter at each prompt gets the default project."""
    child = terminal.typing()
    answer(child, len(PROMPTS))
    child.expect(pexpect.EOF)
    assert files(terminal.folder / ANSWERS["project_slug"]) == DEFAULT_FILES


@pytest.mark.parametrize("answered", range(len(PROMPTS)))
def test_ctrl_c_leaves_nothing(terminal: Terminal, answered: int) -> None:
    """After Ctrl+C at any prompt there is no folder and no traceback."""
    child = terminal.typing()
    answer(child, answered)
    child.expect_exact(f"[{answered + 1}/{len(PROMPTS)}]")
    seen = interrupt(child)
    assert list(terminal.folder.iterdir()) == []
    assert "Traceback" not in seen


def interrupt(child: "pexpect.spawn[str]") -> str:
    """Press Ctrl+C until the program ends, and return what it printed meanwhile.

    Python may miss one that arrives just before it begins to read.
    """
    seen = ""
    for _ in range(10):
        child.sendintr()
        ended = child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=3) == 0
        seen += str(child.before)
        if ended:
            return seen
    raise TimeoutError(seen)


@pytest.fixture
def killed(terminal: Terminal) -> Path:
    """Kill Cookiecutter between its hooks, while it bakes over a project; return the project."""
    terminal.cookiecutter("--no-input", f"sentry_dsn={DSN}")
    project = Path(terminal.folder, ANSWERS["project_slug"])
    (project / "mine.txt").write_text("mine")
    template = terminal.root / "template"
    copy_sources(template)
    kill = f"import os\nos.kill(os.getppid(), {signal.SIGKILL.value})"
    (template / "hooks/post_gen_project.py").write_text(kill)
    command = (*COOKIECUTTER[:-1], str(template), "--no-input", "--overwrite-if-exists")
    assert terminal.run(*command).returncode == -signal.SIGKILL
    return project


def test_killed_bake_damages_nothing(killed: Path) -> None:
    """A bake that was killed between its hooks keeps `.env` and added files."""
    assert dotenv_values(killed / ".env")["SENTRY_DSN"] == DSN
    assert files(killed) >= DEFAULT_FILES | {"mine.txt"}


def test_two_bakes_at_once_give_one_project(terminal: Terminal) -> None:
    """Of two bakes into the same folder, at least one succeeds, and the project is complete."""
    command = [*COOKIECUTTER, "--no-input"]
    where = {"cwd": terminal.folder, "env": terminal.variables}
    bakes = [subprocess.Popen(command, **where) for _ in range(2)]  # type: ignore[call-overload]
    assert 0 in [bake.wait() for bake in bakes]
    assert files(terminal.folder / ANSWERS["project_slug"]) == DEFAULT_FILES
