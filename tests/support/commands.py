"""Running other programs."""

import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.support.template import TEMPLATE

# What a test starts must not depend on the shell of whoever runs the tests: neither on the make
# that runs them, nor on variables that change Python, Flask, or where packages are installed.
# Python may write bytecode in what the tests bake: without it, Ansible takes twice as long.
SHELL_ONLY = re.compile(
    "MAKE|^(PYTHON|FLASK_|CDPATH$|PIP_(PREFIX|PYTHON|TARGET|USER)|UV_(PYTHON|SYSTEM))"
)
INHERITED = {name: value for name, value in os.environ.items() if not SHELL_ONLY.search(name)}
ODD = {name: str(value) for name, value in dotenv_values(TEMPLATE / "tests/odd.env").items()}
IDENTITY = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "Test"), ("EMAIL", "test@example.com"))
}


@dataclass
class Shell:
    """A folder in which commands run, and the environment variables that they see."""

    folder: Path
    variables: dict[str, str] = field(default_factory=lambda: dict(INHERITED))

    def run(
        self, *command: str | Path, stdin: str = "", **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command, with more variables if given, and return its result."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**self.variables, **more},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )

    def succeed(self, *command: str | Path, **more: str) -> str:
        """Run a command that must succeed, and return what it prints."""
        result = self.run(*command, **more)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
        return result.stdout.strip()

    def commit(self) -> None:
        """Commit everything in the folder, which becomes a git repository if it is none yet."""
        for arguments in ("init --quiet", "add .", "commit --quiet --message All"):
            self.succeed("git", *arguments.split(), **IDENTITY)


HERE = Shell(TEMPLATE)


def skip_unless_ci(reason: str) -> None:
    """Skip the test, unless CI runs it, where the missing program is a failure."""
    if not os.environ.get("CI"):
        pytest.skip(reason)


def docker(*arguments: str | Path) -> str:
    """Run a docker command that must succeed, and return what it prints."""
    return HERE.succeed("docker", *arguments)
