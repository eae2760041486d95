"""The hooks as Cookiecutter renders them."""

import sys
from types import ModuleType
from unittest import mock

from tests.support.template import ANSWERS, BODY, TEMPLATE, files, render

SOURCES = {path.stem: path.read_text("utf-8") for path in (TEMPLATE / "hooks").glob("*.py")}


def rendered(name: str) -> ModuleType:
    """Return a rendered hook as a module."""
    module = ModuleType(name)
    with mock.patch.object(sys, "path", sys.path.copy()):  # a hook changes it
        exec(render(SOURCES[name], **ANSWERS), vars(module))  # noqa: S102 as Cookiecutter does
    return module


PRE_GEN = rendered("pre_gen_project")
POST_GEN = rendered("post_gen_project")


def files_of(option: str) -> set[str]:
    """Return the files that an option brings."""
    lines = [line.split() for line in POST_GEN.PARTS[option].splitlines()]
    return {f"{folder}/{name}" for folder, *names in lines for name in names}


UNCHOSEN = {file for option in POST_GEN.PARTS if not ANSWERS[option] for file in files_of(option)}
DEFAULT_FILES = files(BODY) - UNCHOSEN | {".env"}  # of the default project
