"""What each selection of answers bakes, as `make snapshots` writes it to tests/snapshots.txt."""

import hashlib
import itertools
import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.baking import bake
from tests.support.hooks import PRE_GEN
from tests.support.template import (
    CONTEXT,
    PROMPTS,
    TEMPLATE,
    WRITTEN,
    files,
    files_naming,
)

SNAPSHOTS = TEMPLATE / "tests/snapshots.txt"
EXAMPLES = {key: example for key, _, _, example in PRE_GEN.RULES}
HEADER = """\
# Path, mode and hash of the files that each selection of changed answers bakes. Copied files
# have no hash: they are the body's. After the first selection, only what differs is listed.
# `make snapshots` writes this file.
"""


def other_answer(key: str) -> Any:
    """Return an answer that is not the default: the rule's example or another choice."""
    default = CONTEXT[key]
    if isinstance(default, bool):
        return not default
    return default[-1] if isinstance(default, list) else EXAMPLES.get(key)


OPTIONS = {key: other_answer(key) for key in PROMPTS}
FILES = {key: files_naming(f"cookiecutter.{key}") for key in PROMPTS}
PAIRS = [(one, other) for one, other in combinations(PROMPTS, 2) if FILES[one] & FILES[other]]
SELECTIONS: list[tuple[str, ...]] = [(), *combinations(PROMPTS, 1), *PAIRS]


def title(selection: tuple[str, ...]) -> str:
    """Return the name of a selection."""
    return "+".join(selection) or "default"


def manifest(project: Path) -> set[str]:
    """Return a line for each file of a project; secrets are left out of the hash of `.env`."""
    lines = set()
    for name in files(project):
        content = (project / name).read_bytes()
        if name == ".env":
            content = re.sub(rb"=[0-9a-f]{64}$", b"=", content, flags=re.M)
        mode = "755" if (project / name).stat().st_mode & 0o100 else "644"
        digest = f" {hashlib.sha256(content).hexdigest()[:16]}" if name in WRITTEN else ""
        lines.add(f"{name} {mode}{digest}")
    return lines


def snapshot(bake: Callable[..., Path]) -> str:
    """Bake each selection, and return the text of the snapshot."""
    text, default = HEADER, set[str]()
    for selection in SELECTIONS:
        found = manifest(bake({key: OPTIONS[key] for key in selection}))
        listed = sorted(found - default)
        default = default or found
        text += "\n".join(["", f"[{title(selection)}]", *listed, ""])
    return text


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        numbers = itertools.count()
        text = snapshot(lambda answers: bake(Path(folder, str(next(numbers))), **answers))
        SNAPSHOTS.write_text(text, "utf-8")
