"""Change the code in small ways, and list the changes that no test notices (`make mutate`)."""

import json
import os
import re
import shutil
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.commands import HERE, Shell
from tests.support.servers import install
from tests.support.template import BODY, TEMPLATE

WORK = TEMPLATE / "build/mutate"
PYTHON = WORK / "venv/bin/python"
COSMIC_RAY = Path(sys.executable).with_name("cosmic-ray")
EQUIVALENT = tomllib.loads((TEMPLATE / "tests/mutants.toml").read_text("utf-8"))

HOOKS = "tests/test_rules.py tests/test_hooks.py tests/test_dsn_leaks.py"
SENTRY = "tests/unit/test_sentry.py tests/integration/test_sentry.py"
PRIVATE = (
    "tests/unit/test_private.py tests/unit/test_scrubbing.py tests/integration/test_planting.py"
)
AUTH = "tests/unit/test_a*.py tests/integration/test_account.py tests/integration/test_auth.py"
TESTS = {  # of each module, beginning with those that notice most
    "hooks/pre_gen_project.py": f"{HOOKS} tests/test_hostile_answers.py",
    "hooks/post_gen_project.py": f"{HOOKS} tests/test_bake.py",
    "app/sentry.py": SENTRY,
    "app/scrubbing.py": f"{PRIVATE} {SENTRY}",
    "app/private.py": PRIVATE,
    "app/config.py": f"tests/unit/test_config.py tests/integration/test_errors.py {AUTH} {PRIVATE}",
    "app/environment.py": "tests/unit/test_config.py",
    "app/accounts.py": AUTH,
    "app/auth/account.py": AUTH,
    "app/auth/forms.py": AUTH,
    "app/auth/routes.py": AUTH,
}
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


def copy_template(module: str) -> Path:
    """Copy the files that git knows into a folder of its own, in which mutants are written."""
    folder = WORK / module.replace("/", "-")
    for name in HERE.succeed("git", "ls-files").splitlines():
        copy = folder / "template" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TEMPLATE / name, copy)
    return folder


def mutants(module: str) -> list[tuple[str, bool, str]]:
    """Test each mutant of a module, and return its place, whether it was killed, and its code."""
    folder, hook = copy_template(module), module.startswith("hooks/")
    python = sys.executable if hook else PYTHON
    shell = Shell(folder / "template" / ("" if hook else BODY.name))
    config, session = folder / "config.toml", folder / "session.sqlite"
    config.write_text(CONFIG.format(module=module, python=python, tests=TESTS[module]), "utf-8")
    shell.succeed(COSMIC_RAY, "baseline", config)
    shell.succeed(COSMIC_RAY, "init", config, session)
    shell.succeed(COSMIC_RAY.with_name("cr-filter-operators"), session, config)
    shell.succeed(COSMIC_RAY, "exec", config, session)
    pairs = map(json.loads, shell.succeed(COSMIC_RAY, "dump", session).splitlines())
    return [
        (
            f"{module}:{mutant['mutations'][0]['start_pos'][0]}",
            result["test_outcome"] != "survived",
            " ".join(re.findall(r"^\+(?!\+\+ ) *(.*)", result["diff"], re.M)),
        )
        for mutant, result in pairs
        if result["worker_outcome"] != "skipped"
    ]


def row(module: str, killed: int, equivalent: int, survivors: int) -> str:
    """Return a row of the table. Its last column is the share that was killed of what can be."""
    counts = f"{killed + equivalent + survivors:8} {killed:7} {equivalent:11} {survivors:10}"
    return f"{module:26} {counts} {killed / (killed + survivors):7.1%}"


def main(*wanted: str) -> None:
    """Print a table of the modules whose paths contain one of the texts, and their survivors."""
    modules = [m for m in TESTS if not wanted or any(text in m for text in wanted)]
    if not modules:
        sys.exit(f"No path contains {' or '.join(wanted)} (expected a part of: {', '.join(TESTS)})")
    shutil.rmtree(WORK, ignore_errors=True)
    install(BODY / "requirements/test.txt", WORK / "venv")
    HERE.succeed(PYTHON, "-m", "compileall", "-q", WORK / "venv/lib")  # halves the time of a run
    total = [0, 0, 0]
    print(f"{'module':26}  mutants  killed  equivalent  survivors   share")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for module, found in zip(modules, pool.map(mutants, modules), strict=True):
            equivalent = {line for lines in EQUIVALENT.get(module, {}).values() for line in lines}
            survivors = [(place, code) for place, killed, code in found if not killed]
            left = [f"    {place}  {code}" for place, code in survivors if code not in equivalent]
            counts = len(found) - len(survivors), len(survivors) - len(left), len(left)
            total = [sum(pair) for pair in zip(total, counts, strict=True)]
            print(row(module, *counts), *left, sep="\n", flush=True)
    print(row("all", *total))


if __name__ == "__main__":
    main(*sys.argv[1:])
