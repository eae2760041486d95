"""Fixtures: a default bake for all, answers typed at the prompts, and the real command line."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import run
from cookiecutter.main import cookiecutter
from helpers import TEMPLATE
from hypothesis import settings
from pytest_cookies.plugin import Cookies
from servers import Kent, Project, env_of, install, kent

settings.register_profile("template", deadline=None, max_examples=50)
settings.load_profile("template")

Bake = Callable[..., Path]


@pytest.fixture(scope="session")
def default_project(cookies_session: Cookies) -> Path:
    """Return the project that the default answers give; tests only read it."""
    project: Path = cookies_session.bake().project_path
    return project


@pytest.fixture
def typed(_cookiecutter_config_file: Path, monkeypatch: pytest.MonkeyPatch) -> Bake:
    """Return a function that bakes with answers typed, which Cookiecutter does not render."""

    def bake(output_dir: Path, **answers: str) -> Path:
        def read(key: str, default: str, *_: Any) -> str:
            return answers.get(key, "").strip() or default

        def choose(_: str, options: list[str], *__: Any) -> str:
            return options[0]

        monkeypatch.setattr("cookiecutter.prompt.read_user_variable", read)
        monkeypatch.setattr("cookiecutter.prompt.read_user_choice", choose)
        config = str(_cookiecutter_config_file)
        return Path(cookiecutter(str(TEMPLATE), output_dir=str(output_dir), config_file=config))

    return bake


@dataclass
class Terminal:
    """The command line in a home, a temp and a current folder of its own."""

    root: Path

    def __post_init__(self) -> None:
        """Make the three folders."""
        for name in ("home", "tmp", "here"):
            (self.root / name).mkdir()

    def run(
        self, *command: str, stdin: str = "", folder: str = ".", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as somebody would in a shell."""
        here = str(self.root / "here" / folder)
        own = {"HOME": str(self.root / "home"), "TMPDIR": str(self.root / "tmp"), "PWD": here}
        return subprocess.run(
            command,
            cwd=here,
            env={"PATH": os.environ["PATH"], **own, **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def cookiecutter(
        self, *arguments: str, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run Cookiecutter on this template."""
        command = (sys.executable, "-m", "cookiecutter", str(TEMPLATE), *arguments)
        return self.run(*command, stdin=stdin, **environment)

    def files_with(self, text: str) -> set[str]:
        """Return the files in any of the folders that hold the text."""
        return {
            str(path.relative_to(self.root))
            for path in self.root.rglob("*")
            if path.is_file() and text.encode() in path.read_bytes()
        }


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Return a command line that touches nothing of whoever runs the tests."""
    return Terminal(tmp_path)


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip where no container engine answers; in CI, one has to."""
    there = shutil.which("docker") and run("docker", "info").returncode == 0
    if not there and not os.environ.get("CI"):
        pytest.skip("no container engine answers")


@pytest.fixture(scope="session")
def sentry() -> Iterator[Kent]:
    """Return a recording Sentry server."""
    with kent() as server:
        yield server


@pytest.fixture(scope="session")
def project(
    cookies_session: Cookies, sentry: Kent, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """Return the default project, made for that server, installed and migrated."""
    baked = cookies_session.bake(extra_context={"sentry_dsn": sentry.dsn, "release": "1.2.3"})
    project = Project(baked.project_path, tmp_path_factory.mktemp("venv"))
    install(project.path / "requirements/prod.txt", project.venv)
    upgrade = project.run("flask db upgrade")
    assert upgrade.returncode == 0, upgrade.stderr
    return project


@pytest.fixture(scope="session")
def site(project: Project) -> Iterator[str]:
    """Return the address of the project, served as its image serves it."""
    with project.serving(**env_of(project.path)) as url:
        yield url
