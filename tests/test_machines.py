"""Other people's machines: Pythons, locales, umasks, folders, shells and file systems."""

import re
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.support.baking import COOKIECUTTER, Terminal
from tests.support.commands import HERE, Shell, docker, skip_unless_ci
from tests.support.hooks import DEFAULT_FILES, PRE_GEN
from tests.support.servers import UV, find_python
from tests.support.template import ANSWERS, BODY, TEMPLATE, files

PIN = f"cookiecutter=={version('cookiecutter')}"
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?|.*[<>:\"|?*\\].*|.*[. ]", re.I)


@pytest.fixture
def config(terminal: Terminal) -> str:
    """Return the option for a configuration whose replay folder is not in the home folder."""
    path = terminal.folder / "config.yaml"
    path.write_text(f"replay_dir: {terminal.root}\n")
    return f"--config-file={path}"


@pytest.mark.slow
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_cookiecutter_runs_on_any_python(terminal: Terminal, config: str, python: str) -> None:
    """The hooks work with each Python that runs Cookiecutter."""
    run = (UV, "tool", "run", "--quiet", "--python", find_python(python), "--from", PIN)
    HERE.succeed(*run, *COOKIECUTTER[2:], "--no-input", config, f"--output-dir={terminal.folder}")
    assert files(terminal.folder / ANSWERS["project_slug"]) == DEFAULT_FILES


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.7.3", "2.1.1"])
def test_old_cookiecutter_is_refused(terminal: Terminal, config: str, version: str) -> None:
    """A line says which Cookiecutter is needed, where an older one reads yes and no as text."""
    run = (UV, "tool", "run", "--quiet", "--python", "3.11", "--from", f"cookiecutter=={version}")
    old = HERE.run(*run, *COOKIECUTTER[2:], "--no-input", config, f"-o{terminal.folder}")
    refusal = "must be yes or no, which Cookiecutter reads from version 2.2 on"
    lines = [f"{key}: {refusal}" for key in PRE_GEN.SWITCHES]
    assert [line for line in old.stderr.splitlines() if "Cookiecutter" in line] == lines


@pytest.mark.slow
@pytest.mark.containers
@pytest.mark.parametrize("python", ["3.14", "3.15"])
def test_cookiecutter_runs_on_the_newest_pythons(engine: None, python: str) -> None:
    """The hooks work with Pythons that are newer than this machine's."""
    script = f"pip install --quiet {PIN} && cookiecutter /template --no-input && ls microblog/.env"
    volume = ("--volume", f"{TEMPLATE}:/template:ro", "--workdir", "/tmp")  # noqa: S108
    assert docker("run", "--rm", *volume, f"python:{python}-slim", "sh", "-c", script)


@pytest.mark.parametrize("umask", ["000", "077"])
def test_umask_does_not_matter(terminal: Terminal, umask: str) -> None:
    """Only the owner may read `.env`, and the owner may read every file."""
    command = ("sh", "-c", f'umask {umask}; exec "$@"', "sh", *COOKIECUTTER, "--no-input")
    terminal.succeed(*command)
    modes = {path.name: path.stat().st_mode for path in terminal.folder.glob("microblog/*")}
    assert modes[".env"] & 0o777 == 0o600
    assert [name for name, mode in modes.items() if not mode & 0o400] == []


def test_home_may_be_unset(terminal: Terminal, config: str) -> None:
    """Without HOME, as on some build servers, the bake succeeds."""
    del terminal.variables["HOME"]
    terminal.succeed(*COOKIECUTTER, "--no-input", config)
    assert files(terminal.folder / ANSWERS["project_slug"]) == DEFAULT_FILES


ODD_FOLDER = "it's my Größe 微博"


@pytest.fixture
def message(terminal: Terminal) -> str:
    """Bake into a folder whose name has spaces, quotes and other scripts; return the message."""
    odd = terminal.folder / ODD_FOLDER
    return terminal.succeed(*COOKIECUTTER, "--no-input", "--output-dir", odd, PYTHONUTF8="1")


def test_closing_message_quotes_the_folder(terminal: Terminal, message: str) -> None:
    """The `cd` command of the closing message works with spaces, quotes and other scripts."""
    [command] = re.findall(r"^ +(cd .*)$", message, re.MULTILINE)
    shown = terminal.succeed("sh", "-c", f"{command} && pwd")
    assert shown == str(terminal.folder / ODD_FOLDER / ANSWERS["project_slug"])


@pytest.mark.parametrize(
    ("shell", "flags"), [("dash", "-c"), ("bash", "--posix -c"), ("busybox", "sh -c")]
)
def test_makefile_needs_no_special_shell(
    terminal: Terminal, message: str, shell: str, flags: str
) -> None:
    """`make env` works with each POSIX shell, in a folder with spaces and quotes."""
    program = shutil.which(shell)
    if not program:
        skip_unless_ci(f"there is no {shell}")
    project = Shell(terminal.folder / ODD_FOLDER / ANSWERS["project_slug"], terminal.variables)
    (project.folder / ".env").unlink()
    project.succeed("make", "help", "env", f"SHELL={program}", f".SHELLFLAGS={flags}")
    assert (project.folder / ".env").exists()


def test_names_suit_windows() -> None:
    """No file of the project has a name that Windows refuses."""
    parts = {part for name in files(BODY) for part in Path(name).parts}
    assert [part for part in parts if RESERVED.fullmatch(part)] == []


def test_names_suit_file_systems_that_ignore_case() -> None:
    """No two files of the project differ in upper and lower case only."""
    names = files(BODY)
    assert len({name.lower() for name in names}) == len(names)
