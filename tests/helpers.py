"""What is common to the tests: paths, example answers, and what it takes for a bake to be whole."""

import json
import subprocess
import sys
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import jinja2
import yaml
from cookiecutter.utils import create_env_with_context
from dotenv import dotenv_values

TEMPLATE = Path(__file__).parents[1]
BODY = TEMPLATE / "{{cookiecutter.project_slug}}"
CONTEXT = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
RENDERED = {"pyproject.toml", "README.md", "Dockerfile", "compose.yaml", ".env.example", "Makefile"}
WRITTEN = RENDERED | {".env"}

DSN = "https://0123456789abcdef@o123.ingest.de.sentry.io/456"
ANSWERS: dict[str, Any] = {
    "project_name": "Microblog",
    "project_slug": "microblog",
    "sentry_dsn": "",
    "release": "0.1.0",
    "docker_image": "microblog",
    "python_version": "3.14",
}


class ComposeLoader(yaml.SafeLoader):
    """Reads YAML with the tags that Compose adds, such as `!override`."""


ComposeLoader.add_multi_constructor("!", lambda loader, _, node: loader.construct_sequence(node))


RUFF = Path(sys.executable).with_name("ruff")


def ruff_complaints(command: str, project: Path) -> str:
    """Return what `ruff check` or `ruff format --check` says about a project."""
    ruff = [str(RUFF), *command.split(), "--no-cache", "--quiet", str(project)]
    return subprocess.run(ruff, capture_output=True, text=True, check=False).stdout


def files(folder: Path) -> set[str]:
    """Return the paths of all files below the folder, relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def render(template: str, **answers: str) -> str:
    """Render a text as Cookiecutter does."""
    return str(create_env_with_context({}).from_string(template).render(cookiecutter=answers))


def parse(path: Path) -> Any:
    """Return what the file says, by the parser that its name asks for; None if it needs none."""
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
            return yaml.load(text, ComposeLoader)  # noqa: S506 a SafeLoader all the same
        case _, ".html":
            return jinja2.Environment(autoescape=True).parse(text)
    return None


def parse_files(project: Path, names: Collection[str]) -> dict[str, Any]:
    """Parse files of a project and return the results by name."""
    return {name: parse(project / name) for name in names}
