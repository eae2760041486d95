"""Projects of other answers: what an owner runs passes in them, and their images serve.

SELECTIONS contains each pair of answers to the prompts that offer a choice, and each of these
answers both with the default texts and with other texts. test_bake.py changes each text alone
and in pairs.
"""

from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.answers import FILES, OTHERS
from tests.support.commands import HERE, Shell, docker
from tests.support.containers import container
from tests.support.servers import Project, install
from tests.support.template import BODY, CONTEXT, PROMPTS

pytestmark = pytest.mark.slow

Selection = dict[str, Any]

TEXTS = {key: OTHERS[key] for key in PROMPTS if isinstance(CONTEXT[key], str)}
CHOICES = {
    key: CONTEXT[key] if isinstance(CONTEXT[key], list) else [CONTEXT[key], OTHERS[key]]
    for key in PROMPTS
    if key not in TEXTS
} | {"texts": ["default", "other"]}


def pairs(selection: Selection) -> set[Any]:
    """Return each two of the answers."""
    return set(combinations(selection.items(), 2))


def cover(choices: dict[str, list[Any]]) -> list[Selection]:
    """Return few selections that contain every pair of answers; the first one is the default."""
    every = [dict(zip(choices, answers, strict=True)) for answers in product(*choices.values())]
    missing = set[Any]().union(*map(pairs, every))
    selections: list[Selection] = []
    while missing:
        selections.append(max(every, key=lambda selection: len(pairs(selection) & missing)))
        missing -= pairs(selections[-1])
    return selections


def code(selection: Selection) -> tuple[Any, ...]:
    """Return the answers that change more than the Dockerfile."""
    return tuple(selection[key] for key in selection if FILES.get(key) != {"Dockerfile"})


def title(selection: Selection) -> str:
    """Return the name of a selection."""
    return ",".join(f"{key}={answer}" for key, answer in selection.items())


SELECTIONS = cover(CHOICES)
DISTINCT = {code(selection): selection for selection in reversed(SELECTIONS)}
# test_project.py has the code of the default project.
CODE = [selection for selection in DISTINCT.values() if selection != SELECTIONS[0]]


def bake(cookies: Cookies, selection: Selection) -> Path:
    """Return the project of a selection."""
    answers = {key: selection[key] for key in PROMPTS if key in selection}
    if selection["texts"] == "other":
        answers |= TEXTS
    project: Path = cookies.bake(extra_context=answers).project_path
    return project


def test_every_pair_is_selected() -> None:
    """Each answer is selected together with each answer to another prompt."""
    answers = [(key, answer) for key in CHOICES for answer in CHOICES[key]]
    needed = {pair for pair in combinations(answers, 2) if pair[0][0] != pair[1][0]}
    assert needed - set().union(*map(pairs, SELECTIONS)) == set()


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment that all the projects share."""
    venv = tmp_path_factory.mktemp("matrix") / "venv"
    install(BODY / "requirements/dev.txt", venv)
    return venv


@pytest.fixture(scope="module", params=CODE, ids=title)
def owned(request: pytest.FixtureRequest, cookies_session: Cookies, venv: Path) -> Project:
    """Return a project with its environment."""
    return Project(bake(cookies_session, request.param), venv)


def test_projects_share_a_lock(owned: Project) -> None:
    """The environment has what the project pins."""
    lock = Path("requirements/dev.txt")
    assert (owned.folder / lock).read_bytes() == (BODY / lock).read_bytes()


def test_hooks_pass(owned: Project) -> None:
    """The project passes its pre-commit hooks, which are its linters."""
    owned.succeed("git", "init", "--quiet")
    owned.succeed("git", "add", ".")
    # The hooks' own environments stay in the cache of whoever runs the tests.
    Shell(owned.folder).succeed(owned.venv / "bin/pre-commit", "run", "--all-files")


def test_types_are_right(owned: Project, venv: Path) -> None:
    """The project passes its type checker."""
    owned.succeed("mypy", "--cache-dir", venv / "mypy")


def test_own_tests_pass(owned: Project) -> None:
    """The project passes its own tests."""
    owned.succeed("pytest")


def test_models_and_migrations_agree(owned: Project) -> None:
    """The migrations of the project create what its models describe."""
    owned.succeed("flask", "db", "upgrade")
    assert "No new upgrade operations" in owned.succeed("flask", "db", "check")


@pytest.mark.containers
@pytest.mark.parametrize("selection", SELECTIONS, ids=title)
def test_image_serves(engine: None, cookies_session: Cookies, selection: Selection) -> None:
    """The image of a project is healthy, with the Python and the script that were chosen.

    `.ci/run` brings python:3.13-slim to python:3.15-slim only. The images of Python 3.11 and 3.12
    are built where Docker can pull theirs from a registry, as in `.github/workflows/ci.yml`.
    """
    python = selection["python_version"]
    if not has_image(f"python:{python}-slim"):
        pytest.skip(f"neither this machine nor a registry has python:{python}-slim")
    tag = f"microblog-matrix-under-test:{SELECTIONS.index(selection)}"
    docker("build", "--quiet", "--tag", tag, bake(cookies_session, selection))
    with container(tag) as name:
        seen = docker("exec", name, "sh", "-c", "python --version; ls app/static")
    docker("rmi", tag)
    assert f"Python {python}." in seen
    assert ("browser.js" in seen) == selection["browser_tracing"]


def has_image(name: str) -> bool:
    """Tell whether Docker has an image, or pulls it from a registry."""
    commands = (("image", "inspect"), ("pull", "--quiet"))
    return any(not HERE.run("docker", *command, name).returncode for command in commands)
