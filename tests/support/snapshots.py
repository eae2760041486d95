"""The files that each selection of switches bakes, as `make snapshots` lists them."""

import itertools
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.answers import CHOICES, OTHERS, title
from tests.support.baking import bake
from tests.support.template import CONTEXT, TEMPLATE, files

SNAPSHOTS = TEMPLATE / "tests/snapshots.txt"
SWITCHES = [key for key in CHOICES if isinstance(CONTEXT[key], bool)]
HEADER = """\
# The path of each file of the default project, and its mode if an owner can run it. Below, how the
# projects of other switches differ from it. `make snapshots` writes this file.
"""


def manifest(project: Path) -> set[str]:
    """Return a line for each file of a project: its path, and its mode if it is a program."""
    modes = {name: (project / name).stat().st_mode for name in files(project)}
    return {f"{name} 755" if mode & 0o100 else name for name, mode in modes.items()}


def snapshot(bake: Callable[[dict[str, Any]], Path]) -> str:
    """Bake each selection of switches, and return the text of the snapshot."""
    default = manifest(bake({}))
    text = HEADER + "\n".join(["", "[default]", *sorted(default), ""])
    for count in range(1, len(SWITCHES) + 1):
        for selection in combinations(SWITCHES, count):
            found = manifest(bake({key: OTHERS[key] for key in selection}))
            differences = [f"- {line}" for line in sorted(default - found)]
            differences += [f"+ {line}" for line in sorted(found - default)]
            text += "\n".join(["", f"[{title(selection)}]", *differences, ""])
    return text


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        numbers = itertools.count()
        text = snapshot(lambda answers: bake(Path(folder, str(next(numbers))), **answers))
        SNAPSHOTS.write_text(text, "utf-8")
