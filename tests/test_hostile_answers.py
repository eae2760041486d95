"""Hostile answers, typed and given: they give a valid project, or a refusal and no file."""

import shlex
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from cookiecutter.exceptions import FailedHookException
from hypothesis import HealthCheck, given, settings
from pytest_cookies.plugin import Cookies

from tests.conftest import Bake
from tests.support.answers import bad_names, legal_answers
from tests.support.baking import COOKIECUTTER, Terminal, keystrokes, parse, parse_files
from tests.support.commands import Shell
from tests.support.template import ANSWERS, DSN, WRITTEN
from tests.support.updates import copy_sources

NAMES = [
    'Zoë\'s "Blog" C:\\new\\table \'\'\'""" back\\',
    "{{ 7*7 }} {% raw %} {# x #}",
    "$(id) `id` ${HOME} %s %(x)s",
    "# <script>alert(1)</script> & [x](y) *",
    "🚀 👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 微博 بلوق блог ब्लॉग",
    "a" * 60,
]
# Each example bakes into its own folder, so that examples may share the fixture.
bakes = settings(
    max_examples=max(settings().max_examples // 20, 5),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def title(project: Path) -> str:
    """Return the title of the app."""
    return str(parse(project / "pyproject.toml")["tool"]["app"]["title"])


@pytest.mark.parametrize("name", NAMES)
def test_typed_names_arrive_as_typed(typed: Bake, tmp_path: Path, name: str) -> None:
    """The app's title is the typed name, character for character."""
    assert title(typed(tmp_path, project_name=name)) == name


def test_given_names_arrive_as_given(cookies: Cookies) -> None:
    """The app's title is the name from the command line, character for character."""
    assert title(cookies.bake({"project_name": NAMES[0]}).project_path) == NAMES[0]


@pytest.mark.parametrize("slug", ["null", "true", "a--"])
def test_slugs_stay_text(cookies: Cookies, slug: str) -> None:
    """A slug that YAML could read as null or true is still a name."""
    project = cookies.bake({"project_slug": slug}).project_path
    assert parse(project / "pyproject.toml")["project"]["name"] == slug
    assert parse(project / "compose.yaml")["services"]["web"]["image"].startswith(slug.rstrip("-"))


@bakes
@given(legal_answers)
def test_legal_answers_give_a_valid_project(typed: Bake, answers: dict[str, Any]) -> None:
    """Every file that contains legal answers parses."""
    with TemporaryDirectory() as folder:
        parsed = parse_files(typed(Path(folder), **answers), WRITTEN)
        assert parsed["pyproject.toml"]["project"]["name"] == answers["project_slug"]


def test_whitespace_around_a_name_is_dropped(terminal: Terminal) -> None:
    """The title has no whitespace around it, which the name may have been pasted with."""
    terminal.cookiecutter("--no-input", "project_name= Blog ")
    assert title(terminal.folder / "blog") == "Blog"


@bakes
@given(name=bad_names.filter(lambda name: name and name == name.strip()))
def test_illegal_names_leave_nothing(typed: Bake, name: str) -> None:
    """An illegal name is refused before a file is written."""
    with TemporaryDirectory() as folder:
        with pytest.raises(FailedHookException):
            typed(Path(folder), project_name=name)
        assert list(Path(folder).iterdir()) == []


@pytest.mark.parametrize("slug", ["a b", *"A a/b a/b/c ../a a/.. a/../.. . .. -".split(), "a" * 51])
def test_illegal_slugs_change_no_folder(typed: Bake, tmp_path: Path, slug: str) -> None:
    """A refusal leaves no folder of the project, and deletes none that was there before."""
    (tmp_path / "mine.txt").touch()
    with pytest.raises(FailedHookException):
        typed(tmp_path / "out", project_slug=slug)
    assert {path.name for path in tmp_path.rglob("*")} - {"out"} == {"mine.txt"}


def test_refusal_is_one_line_per_fault(terminal: Terminal) -> None:
    """Standard error has a line for each illegal answer and one with a command, and it fails."""
    refused = terminal.cookiecutter("--no-input", "release=v1", "project_slug=A", "docker_image=b")
    keys = [line.split(":")[0] for line in refused.stderr.splitlines()[:-1]]
    assert (refused.returncode, keys) == (1, ["project_slug", "release"])


def test_refusal_ends_with_a_command(terminal: Terminal) -> None:
    """The command has the answers that are not refused, and another image than the default."""
    names = ("project_name=Susan's", "docker_image=org/blog", "microblog=no")
    refused = terminal.cookiecutter("--no-input", *names, "project_slug=A", f"sentry_dsn={DSN}")
    command = shlex.split(refused.stderr.splitlines()[-1].partition("defaults: ")[2])
    kept = {"project_name=Susan's", "docker_image=org/blog", "microblog=False", "release=0.1.0"}
    assert kept <= set(command)
    assert [word for word in command if word.startswith(("project_slug", "sentry_dsn"))] == []


def test_pasted_command_keeps_the_answers(terminal: Terminal) -> None:
    """Whoever pastes the command and presses Enter gets the answers that were not refused."""
    name = """Susan's {{ 7*7 }} {% raw %}{# $HOME `id` "'🚀'" {!\\"""
    typed = keystrokes(project_name=name, project_slug="mine", release="v1")
    [*_, command] = terminal.cookiecutter(stdin=typed).stderr.splitlines()
    words = shlex.split(command.partition(f" {COOKIECUTTER[-1]} ")[2])
    terminal.cookiecutter(*words, stdin=keystrokes())
    assert title(terminal.folder / "mine") == name


def test_pasted_command_keeps_the_version(terminal: Terminal) -> None:
    """The command has the version of the template that was asked for."""
    template = Shell(terminal.root / "template", terminal.variables)
    copy_sources(template.folder)
    template.commit()
    template.succeed("git", "tag", "v7")
    command = (*COOKIECUTTER[:-1], f"git+file://{template.folder}", "--checkout", "v7")
    refused = terminal.run(*command, "--no-input", "release=v1")
    assert " --checkout v7 " in refused.stderr.splitlines()[-1]


def test_refusal_keeps_an_existing_folder(terminal: Terminal) -> None:
    """Overwriting with an illegal answer removes no file of the existing project."""
    mine = terminal.folder / ANSWERS["project_slug"] / "mine.txt"
    mine.parent.mkdir()
    mine.touch()
    terminal.cookiecutter("--no-input", "--overwrite-if-exists", "release=v1")
    assert [path.name for path in mine.parent.iterdir()] == ["mine.txt"]


ASCII_LOCALE = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}


def test_undecodable_name_is_explained(terminal: Terminal) -> None:
    """The refusal names PYTHONUTF8 if Python reads arguments as ASCII."""
    options = ("--no-input", "project_name=Zürich")
    refused = terminal.cookiecutter(*options, **ASCII_LOCALE, PYTHONUTF8="0")
    assert refused.stderr.startswith("project_name: is not readable as UTF-8; repeat")


def test_posix_locale_takes_any_name(terminal: Terminal) -> None:
    """In a POSIX locale, PYTHONUTF8=1 makes Python read any name."""
    terminal.cookiecutter("--no-input", "project_name=Zürich", **ASCII_LOCALE, PYTHONUTF8="1")
    assert title(terminal.folder / "zurich") == "Zürich"


def test_other_pythons_are_refused(cookies: Cookies) -> None:
    """Cookiecutter refuses a Python that is not among the choices."""
    assert "but the choices are" in str(cookies.bake({"python_version": "3.10"}).exception)


def test_rendered_answers_are_data_too(cookies: Cookies) -> None:
    """A project name that Cookiecutter has rendered is not rendered again."""
    project = cookies.bake({"project_name": "{{ '\\'\\'\\'' ~ '\"' }}"}).project_path
    assert title(project) == "'''\""
