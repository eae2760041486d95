"""Change a module in small ways, and list the changes that no test notices (`make mutate`)."""

import json
import re
import shutil
import sys
import tomllib
from pathlib import Path

from tests.support.commands import HERE, Shell
from tests.support.servers import install
from tests.support.template import BODY, TEMPLATE

WORK = TEMPLATE / "build/mutate"
COSMIC_RAY = Path(sys.executable).with_name("cosmic-ray")
EQUIVALENT = tomllib.loads((TEMPLATE / "tests/mutants.toml").read_text("utf-8"))
# Most operators fail on the types and sets that | joins, so one of them stands for all.
# `is` instead of `==` is a warning of Python's.
CONFIG = """
[cosmic-ray]
module-path = "{module}"
timeout = 240.0
test-command = "sh -c '{python} -m pytest -x -q -p no:cacheprovider {tests}'"
distributor.name = "local"
filters.operators-filter.exclude-operators = [
  "core/ReplaceBinaryOperator_BitOr_(?!BitAnd)",
  "core/ReplaceComparisonOperator_.*_(Is|IsNot)$",
]
"""


def copy_template() -> Path:
    """Copy the files that git knows into a folder of its own, in which mutants are written."""
    shutil.rmtree(WORK, ignore_errors=True)
    for name in HERE.succeed("git", "ls-files").splitlines():
        copy = WORK / "template" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TEMPLATE / name, copy)
    return WORK / "template"


def main(module: str, *tests: str) -> None:
    """Let the tests try each mutant of a module, and print the mutants that survive."""
    folder, python = copy_template(), sys.executable
    if not module.startswith("hooks/"):
        folder, python = folder / BODY.name, str(WORK / "venv/bin/python")
        install(BODY / "requirements/test.txt", WORK / "venv")
    config, session = WORK / "config.toml", WORK / "session.sqlite"
    config.write_text(CONFIG.format(module=module, python=python, tests=" ".join(tests)), "utf-8")
    shell = Shell(folder)
    shell.succeed(COSMIC_RAY, "baseline", config)
    shell.succeed(COSMIC_RAY, "init", config, session)
    shell.succeed(COSMIC_RAY.with_name("cr-filter-operators"), session, config)
    shell.succeed(COSMIC_RAY, "exec", config, session)
    equivalent = {line for lines in EQUIVALENT.get(module, {}).values() for line in lines}
    killed = 0
    for mutant, result in map(json.loads, shell.succeed(COSMIC_RAY, "dump", session).splitlines()):
        line = mutant["mutations"][0]["start_pos"][0]
        changed = " ".join(re.findall(r"^\+(?!\+\+ ) *(.*)", result["diff"] or "", re.M))
        killed += result["test_outcome"] in ("killed", "incompetent")
        if result["test_outcome"] == "survived" and changed not in equivalent:
            print(f"{module}:{line}  {changed}")
    print(f"The tests noticed {killed} changes.")


if __name__ == "__main__":
    main(*sys.argv[1:])
