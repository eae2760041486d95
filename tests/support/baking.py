"""Baking projects, and reading what was baked."""

import ast
import json
import os
import sys
import tomllib
from collections.abc import Callable, Collection
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import jinja2
import pexpect
import yaml
from dotenv import dotenv_values

from tests.support.commands import HERE, IDENTITY, Shell
from tests.support.template import PROMPTS, TEMPLATE

COOKIECUTTER = (sys.executable, "-m", "cookiecutter", str(TEMPLATE))
PARSERS: dict[str, Callable[[str], Any]] = {
    ".env": lambda text: dotenv_values(stream=StringIO(text), interpolate=False),
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".json": json.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
    ".html": jinja2.Environment(autoescape=True).parse,
}


class Terminal(Shell):
    """A command line with its own home, temporary and current folder."""

    def __init__(self, root: Path) -> None:
        """Create the three folders."""
        self.root = root
        for name in ("home", "tmp", "here"):
            (root / name).mkdir()
        own = {"HOME": str(root / "home"), "TMPDIR": str(root / "tmp"), "PWD": str(root / "here")}
        super().__init__(root / "here", {"PATH": os.environ["PATH"], **own, **IDENTITY})

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
    options = ("--no-input", "--default-config", "--output-dir", str(folder))
    HERE.succeed(*COOKIECUTTER, *options, *given)
    [project] = folder.glob("*/pyproject.toml")
    return project.parent


def keystrokes(**answers: str) -> str:
    """Return what a person types at the prompts: the given answers, and Enter at the others."""
    return "".join(f"{answers.get(key, '')}\n" for key in PROMPTS)


def parse(path: Path) -> Any:
    """Return what the parser of a file's format reads in it, or None without a parser."""
    parser = PARSERS.get(path.suffix or path.name)
    return parser(path.read_text("utf-8")) if parser else None


def parse_files(project: Path, names: Collection[str]) -> dict[str, Any]:
    """Parse files of a project and return the results by name."""
    return {name: parse(project / name) for name in names}
