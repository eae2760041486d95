"""Change the code in small ways, and list the changes that no test notices (`make mutate`)."""

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

HOOKS = "tests/test_hooks.py tests/test_prompts.py tests/test_hostile_answers.py tests/test_bake.py"
SENTRY = "tests/unit/test_sentry.py tests/integration/test_sentry.py"
PRIVATE = (
    "tests/unit/test_private.py tests/unit/test_scrubbing.py tests/integration/test_planting.py"
)
AUTH = "tests/unit/test_a*.py tests/integration/test_auth.py tests/integration/test_account.py"
TESTS = {  # of each module
    "hooks/pre_gen_project.py": HOOKS,
    "hooks/post_gen_project.py": HOOKS,
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
timeout = 60.0
test-command = "sh -c '{python} -m pytest -x -q -p no:cacheprovider {tests}'"
distributor.name = "local"
filters.operators-filter.exclude-operators = [
  "core/ReplaceBinaryOperator_BitOr_(?!BitAnd)",
  "core/ReplaceComparisonOperator_.*_(Is|IsNot)$",
]
"""


def copy_template() -> Path:
    """Copy the files that git knows, in which mutants are written, and install the body's tests."""
    shutil.rmtree(WORK, ignore_errors=True)
    for name in HERE.succeed("git", "ls-files").splitlines():
        copy = WORK / "template" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TEMPLATE / name, copy)
    install(BODY / "requirements/test.txt", WORK / "venv")
    return WORK / "template"


def mutants(template: Path, module: str) -> list[tuple[str, bool, str]]:
    """Test each mutant of a module, and return its place, whether it was killed, and its code."""
    hook = module.startswith("hooks/")
    python = sys.executable if hook else WORK / "venv/bin/python"
    shell = Shell(template if hook else template / BODY.name)
    config, session = WORK / "config.toml", WORK / "session.sqlite"
    config.write_text(CONFIG.format(module=module, python=python, tests=TESTS[module]), "utf-8")
    session.unlink(missing_ok=True)
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


def main(*wanted: str) -> None:
    """Print a table of the modules whose paths contain one of the texts, and their survivors."""
    template = copy_template()
    print(f"{'module':26} mutants  killed  equivalent  survivors")
    for module in TESTS:
        if wanted and not any(text in module for text in wanted):
            continue
        found = mutants(template, module)
        survivors = [(place, code) for place, killed, code in found if not killed]
        excuses = EQUIVALENT.get(module, {}).values()
        equivalent = {line for lines in excuses for line in lines}
        left = [f"    {place}  {code}" for place, code in survivors if code not in equivalent]
        killed, excused = len(found) - len(survivors), len(survivors) - len(left)
        print(f"{module:26} {len(found):7} {killed:7} {excused:11} {len(left):10}")
        print(*left, sep="\n", end="\n" if left else "", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
