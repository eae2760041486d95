"""Hostile answers, typed and given: a whole project, or a clear refusal and nothing at all."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conftest import Bake, Terminal
from cookiecutter.exceptions import CookiecutterException, FailedHookException
from helpers import WRITTEN, parse, parse_files
from hypothesis import HealthCheck, given, settings
from pytest_cookies.plugin import Cookies
from strategies import bad_names, names, slugs

NAMES = [
    'Zoë\'s "Blog"',
    "C:\\new\\table",
    "back\\",
    "'''\"\"\"",
    "{{ 7*7 }} {% raw %} {# x #}",
    "$(id) `id` ${HOME} %s %(x)s",
    "# <script>alert(1)</script> & [x](y) *",
    "🚀 👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "微博 بلوق блог ब्लॉग",
    "a" * 60,
]
# Each example bakes into a folder of its own, so it may share the fixture that bakes.
bakes = settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])


def title(project: Path) -> str:
    """Return the name that the app shows."""
    name: str = parse(project / "pyproject.toml")["tool"]["microblog"]["title"]
    return name


@pytest.mark.parametrize("name", NAMES)
def test_typed_names_arrive_as_typed(typed: Bake, tmp_path: Path, name: str) -> None:
    """The app is called what was typed, character for character."""
    assert title(typed(tmp_path, project_name=name)) == name


@pytest.mark.parametrize("name", NAMES[:4])
def test_given_names_arrive_as_given(cookies: Cookies, name: str) -> None:
    """The app is called what was given on the command line, character for character."""
    assert title(cookies.bake({"project_name": name}).project_path) == name


@pytest.mark.parametrize("slug", ["null", "true", "a--"])
def test_slugs_stay_text(cookies: Cookies, slug: str) -> None:
    """A slug that YAML or a package tool could take for something else is still a name."""
    project = cookies.bake({"project_slug": slug}).project_path
    assert parse(project / "pyproject.toml")["project"]["name"] == slug
    assert parse(project / "compose.yaml")["services"]["web"]["image"].startswith(slug.rstrip("-"))


@bakes
@given(name=names, slug=slugs)
def test_legal_answers_give_a_whole_project(typed: Bake, name: str, slug: str) -> None:
    """Whatever is legal, every file that answers are written into parses."""
    with TemporaryDirectory() as folder:
        project = typed(Path(folder), project_name=name, project_slug=slug)
        assert parse_files(project, WRITTEN)["pyproject.toml"]["project"]["name"] == slug


@bakes
@given(name=bad_names.filter(lambda name: name and name == name.strip()))
def test_illegal_names_leave_nothing(typed: Bake, name: str) -> None:
    """Whatever is illegal is refused before a file is written."""
    with TemporaryDirectory() as folder:
        with pytest.raises(FailedHookException):
            typed(Path(folder), project_name=name)
        assert list(Path(folder).iterdir()) == []


@pytest.mark.parametrize(
    "slug", ["A", "a b", "a/b", "a/b/c", "../a", "a/../b", ".", "..", "-", "a" * 51]
)
def test_illegal_slugs_leave_nothing(typed: Bake, tmp_path: Path, slug: str) -> None:
    """Cookiecutter makes the folder before any hook: it goes again, with its parents."""
    (tmp_path / "out").mkdir()
    with pytest.raises((CookiecutterException, FileNotFoundError)):
        typed(tmp_path / "out", project_slug=slug)
    assert [path.name for path in tmp_path.rglob("*")] == ["out"]


def test_refusal_is_one_line_a_fault(terminal: Terminal) -> None:
    """Standard error says what is wrong, a line for each answer, and the command fails."""
    run = terminal.cookiecutter("--no-input", "release=v1", "project_slug=A", "docker_image=b")
    keys = [line.split(":")[0] for line in run.stderr.splitlines()]
    assert (run.returncode, keys) == (1, ["project_slug", "release"])


def test_refusal_keeps_an_existing_folder(terminal: Terminal) -> None:
    """Overwriting with a bad answer does not cost the project that is there."""
    mine = terminal.root / "here" / "microblog" / "mine.txt"
    mine.parent.mkdir()
    mine.touch()
    terminal.cookiecutter("--no-input", "--overwrite-if-exists", "release=v1")
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


def test_answers_typed_in_a_terminal(terminal: Terminal) -> None:
    """The real prompts take braces and quotes without rendering them."""
    terminal.cookiecutter(stdin="{{ 7*7 }} 'x'\nmine\n\n\n\n2\n")
    assert title(terminal.root / "here" / "mine") == "{{ 7*7 }} 'x'"


def test_any_choice_of_python_is_one_of_ours(cookies: Cookies) -> None:
    """A Python that the app does not run on is refused by name."""
    assert "but the choices are" in str(cookies.bake({"python_version": "3.10"}).exception)


def test_rendered_answers_are_data_too(cookies: Cookies) -> None:
    """Cookiecutter renders what is given before any hook; what comes of it obeys the same rules."""
    project = cookies.bake({"project_name": "{{ '\\'\\'\\'' ~ '\"' }}"}).project_path
    assert title(project) == "'''\""
