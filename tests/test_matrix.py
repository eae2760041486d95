"""Projects of other answers: an owner's commands succeed in them, and their images serve.

SELECTIONS contains each pair of answers to the prompts that offer a choice, and each of these
answers both with the default texts and with other texts. test_bake.py changes each text alone
and in pairs.
"""

import sys
from itertools import combinations, cycle, product
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.conftest import Installed
from tests.support.answers import CHOICES, FILES, OTHERS
from tests.support.commands import HERE, Shell, docker
from tests.support.containers import container
from tests.support.owners import add_page, change_models
from tests.support.servers import Project, find_python, install
from tests.support.template import BODY, PROMPTS

pytestmark = pytest.mark.slow

Selection = dict[str, Any]

TEXTS = {key: OTHERS[key] for key in PROMPTS if key not in CHOICES}
CHOSEN = CHOICES | {"texts": ["default", "other"]}


def pairs(selection: Selection) -> set[Any]:
    """Return each two of the answers."""
    return set(combinations(selection.items(), 2))


def every(choices: dict[str, list[Any]]) -> list[Selection]:
    """Return all selections; the first one is the default."""
    return [dict(zip(choices, answers, strict=True)) for answers in product(*choices.values())]


def cover(choices: dict[str, list[Any]]) -> list[Selection]:
    """Return few selections that contain every pair of answers; the first one is the default."""
    candidates, selections = every(choices), list[Selection]()
    missing = set[Any]().union(*map(pairs, candidates))
    while missing:
        selections.append(max(candidates, key=lambda selection: len(pairs(selection) & missing)))
        missing -= pairs(selections[-1])
    return selections


def title(selection: Selection) -> str:
    """Return the name of a selection."""
    return ",".join(f"{key}={answer}" for key, answer in selection.items())


SELECTIONS = cover(CHOSEN)
SWITCHES = {key: CHOICES[key] for key in CHOICES if FILES[key] != {"Dockerfile"}}
# The selections whose code differs; test_newcomer.py tests those without the browser's.
CODE = [
    selection | {"texts": "other"} for selection in every(SWITCHES) if selection["browser_tracing"]
]
# test_project.py has the Python that runs the tests, and test_containers.py that of the image.
OWN_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER_PYTHONS = sorted({*CHOICES["python_version"][1:]} - {OWN_PYTHON})
OWNED = list(zip(OTHER_PYTHONS, cycle(CODE), strict=False))
each_code = pytest.mark.parametrize("owned", OWNED[: len(CODE)], indirect=True, ids=str)


def bake(cookies: Cookies, selection: Selection) -> Path:
    """Return the project of a selection."""
    answers = {key: selection[key] for key in CHOICES if key in selection}
    answers |= TEXTS if selection["texts"] == "other" else {}
    project: Path = cookies.bake(extra_context=answers).project_path
    return project


def test_every_pair_is_selected() -> None:
    """Each answer is selected together with each answer to another prompt."""
    for one, other in combinations(CHOSEN, 2):
        selected = {(selection[one], selection[other]) for selection in SELECTIONS}
        assert selected == set(product(CHOSEN[one], CHOSEN[other]))


@pytest.fixture(scope="module", params=OWNED, ids=str)
def owned(
    request: pytest.FixtureRequest,
    cookies_session: Cookies,
    tmp_path_factory: pytest.TempPathFactory,
) -> Project:
    """Return a project with an environment of another Python of this machine."""
    python, selection = request.param
    venv = tmp_path_factory.mktemp("matrix") / "venv"
    install(BODY / "requirements/dev.txt", venv, find_python(python))
    return Project(bake(cookies_session, selection), venv)


@each_code
def test_hooks_pass(owned: Project) -> None:
    """The project passes its pre-commit hooks, which are its linters."""
    owned.succeed("git", "init", "--quiet")
    owned.succeed("git", "add", ".")
    # The hooks' own environments stay in the cache of whoever runs the tests.
    hooks = Path(sys.executable).with_name("pre-commit")
    Shell(owned.folder).succeed(hooks, "run", "--all-files")


@each_code
def test_types_are_right(owned: Project, installed: Installed) -> None:
    """The project passes its type checker, which checks the packages once for all projects."""
    venv = installed("dev")
    Project(owned.folder, venv).succeed("mypy", "--cache-dir", venv / "mypy")


def test_own_tests_pass(owned: Project) -> None:
    """After a column, a table, a page and their migration, the project's tests pass."""
    change_models(owned)
    add_page(owned)
    owned.succeed("flask", "db", "upgrade")
    owned.succeed("flask", "db", "migrate", "-m", "bills")
    assert "/bills" in owned.succeed("flask", "routes")
    owned.succeed("pytest")


@pytest.mark.containers
@pytest.mark.parametrize("selection", SELECTIONS, ids=title)
def test_image_serves(engine: None, cookies_session: Cookies, selection: Selection) -> None:
    """The image of a project is healthy, with the Python and the script that were chosen."""
    python = selection["python_version"]
    if not has_image(f"python:{python}-slim"):
        pytest.skip(f"neither this machine nor a registry has python:{python}-slim")
    tag = f"microblog-matrix-under-test:{SELECTIONS.index(selection)}"
    docker("build", "--quiet", "--tag", tag, bake(cookies_session, selection))
    with container(tag) as name:
        seen = docker("exec", name, "sh", "-c", "python --version; ls . app/static").split("\n")
    docker("rmi", tag)
    assert seen[0].startswith(f"Python {python}.")
    assert ("browser.js" in seen) == selection["browser_tracing"]
    assert "browser" not in seen  # the sources of the script


def has_image(name: str) -> bool:
    """Tell whether Docker has an image, or pulls it from a registry."""
    commands = (("image", "inspect"), ("pull", "--quiet"))
    return any(not HERE.run("docker", *command, name).returncode for command in commands)
