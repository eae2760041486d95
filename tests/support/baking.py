"""Baking projects, and reading what was baked."""

import json
import os
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import jinja2
import pexpect
import yaml
from dotenv import dotenv_values

from tests.support.commands import HERE, Shell
from tests.support.template import PROMPTS, TEMPLATE

COOKIECUTTER = (sys.executable, "-m", "cookiecutter", str(TEMPLATE))
RUFF = Path(sys.executable).with_name("ruff")


class Terminal(Shell):
    """A command line with its own home, temporary and current folder."""

    def __init__(self, root: Path) -> None:
        """Create the three folders."""
        self.root = root
        for name in ("home", "tmp", "here"):
            (root / name).mkdir()
        own = {"HOME": str(root / "home"), "TMPDIR": str(root / "tmp"), "PWD": str(root / "here")}
        super().__init__(root / "here", {"PATH": os.environ["PATH"], **own})

    def cookiecutter(self, *arguments: str, stdin: str = "", **more: str) -> CompletedProcess[str]:
        """Run Cookiecutter on this template."""
        return self.run(*COOKIECUTTER, *arguments, stdin=stdin, **more)

    def typing(self, *arguments: str) -> "pexpect.spawn[str]":
        """Start Cookiecutter on a pseudo-terminal, in which a test reads and types."""
        program, *first = COOKIECUTTER
        variables = {**self.variables, "TERM": "dumb"}
        return pexpect.spawn(
            program, [*first, *arguments], cwd=str(self.folder), env=variables, encoding="utf-8"
        )

    def files_with(self, text: str) -> set[str]:
        """Return the files in any of the three folders that contain a text."""
        return {
            str(path.relative_to(self.root))
            for path in self.root.rglob("*")
            if path.is_file() and text.encode() in path.read_bytes()
        }


def bake(folder: Path, **answers: str) -> Path:
    """Bake a project into an empty folder, with the default answers except for those given."""
    given = [f"{key}={value}" for key, value in answers.items()]
    HERE.succeed(
        *COOKIECUTTER, "--no-input", "--default-config", "--output-dir", str(folder), *given
    )
    [project] = folder.glob("*/pyproject.toml")
    return project.parent


def keystrokes(**answers: str) -> str:
    """Return what a person types at the prompts: the given answers, and Enter at the others."""
    return "".join(f"{answers.get(key, '')}\n" for key in PROMPTS)


def parse(path: Path) -> Any:
    """Return a file's contents as its own format's parser reads them, or None without a parser."""
    if path.suffix == ".png":
        return None
    text = path.read_text("utf-8")
    match path.name, path.suffix:
        case ".env", _:
            return dotenv_values(path, interpolate=False)
        case _, ".py":
            return compile(text, path, "exec", dont_inherit=True)
        case _, ".toml":
            return tomllib.loads(text)
        case _, ".json":
            return json.loads(text)
        case _, ".yaml" | ".yml":
            return yaml.safe_load(text)
        case _, ".html":
            return jinja2.Environment(autoescape=True).parse(text)
    return None


def parse_files(project: Path, names: Collection[str]) -> dict[str, Any]:
    """Parse files of a project and return the results by name."""
    return {name: parse(project / name) for name in names}


def ruff_complaints(command: str, project: Path) -> str:
    """Return what `ruff check` or `ruff format --check` says about a project."""
    return HERE.run(RUFF, *command.split(), "--no-cache", "--quiet", project).stdout
