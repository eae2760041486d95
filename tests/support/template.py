"""The template: its paths, its prompts, and the files that it renders."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from cookiecutter.prompt import prompt_for_config
from cookiecutter.utils import create_env_with_context

TEMPLATE = Path(__file__).parents[2]
BODY = TEMPLATE / "{{cookiecutter.project_slug}}"

CONTEXT: dict[str, Any] = json.loads((TEMPLATE / "cookiecutter.json").read_text("utf-8"))
PROMPTS = [key for key in CONTEXT if not key.startswith("_")]
DEFAULTS = prompt_for_config({"cookiecutter": dict(CONTEXT)}, no_input=True)
ANSWERS: dict[str, Any] = {key: DEFAULTS[key] for key in PROMPTS}

DSN = "https://0123456789abcdef@o123.ingest.de.sentry.io/456"


def files(folder: Path) -> set[str]:
    """Return the paths of all files below a folder, relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def files_naming(variable: str) -> set[str]:
    """Return the files of the body that contain a text."""
    return {name for name in files(BODY) if variable.encode() in (BODY / name).read_bytes()}


RENDERED = files_naming("{{ cookiecutter.") | files_naming("if cookiecutter.")
WRITTEN = RENDERED | {".env"}


@cache
def compiled(template: str) -> Any:
    """Return a text as Cookiecutter's Jinja compiles it, which takes longer than to render it."""
    return create_env_with_context({}).from_string(template)


def render(template: str, **answers: str) -> str:
    """Render a text as Cookiecutter does."""
    return str(compiled(template).render(cookiecutter=answers))
