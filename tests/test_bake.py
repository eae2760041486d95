"""What comes out of a bake: each option on its own, and each pair."""

import filecmp
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pytest
from conftest import Terminal
from helpers import (
    ANSWERS,
    BODY,
    DSN,
    RENDERED,
    TEMPLATE,
    WRITTEN,
    files,
    parse,
    parse_files,
    ruff_complaints,
)
from pytest_cookies.plugin import Cookies

OPTIONS = {
    "project_name": 'Zoë\'s \\ "Blog"',
    "project_slug": "on",
    "sentry_dsn": DSN,
    "release": "1.2.3-rc.1",
    "docker_image": "ghcr.io/org/blog",
    "python_version": "3.11",
}
SOURCES = {name: (BODY / name).read_text("utf-8") for name in RENDERED}


def touched(option: str) -> set[str]:
    """Return the files that an option is written into."""
    return {name for name, text in SOURCES.items() if f"cookiecutter.{option}" in text}


PAIRS = [pair for pair in combinations(OPTIONS, 2) if set.intersection(*map(touched, pair))]
SELECTIONS = [(), *combinations(OPTIONS, 1), *PAIRS]


@pytest.fixture(scope="module", params=SELECTIONS, ids=lambda keys: "+".join(keys) or "default")
def baked(request: pytest.FixtureRequest, cookies_session: Cookies) -> tuple[dict[str, str], Path]:
    """Return the answers and the project of each option alone and of each pair."""
    result = cookies_session.bake({key: OPTIONS[key] for key in request.param})
    return {key: result.context[key] for key in ANSWERS}, result.project_path


Baked = tuple[dict[str, str], Path]


def test_tree_is_the_body(baked: Baked) -> None:
    """Every option gives the files of the body, and `.env`."""
    assert files(baked[1]) == files(BODY) | {".env"}


def test_nothing_is_left_unrendered(baked: Baked) -> None:
    """No file that was rendered holds a tag."""
    texts = {name: (baked[1] / name).read_text("utf-8") for name in RENDERED}
    assert [name for name, text in texts.items() if "{{" in text or "{%" in text] == []


def test_rendered_files_parse(baked: Baked) -> None:
    """Whatever the answers, what they are written into is still TOML, YAML and so on."""
    assert parse_files(baked[1], WRITTEN)


def test_answers_reach_their_files(baked: Baked) -> None:
    """Each answer stands where its reader looks for it."""
    answers, project = baked
    metadata = parse(project / "pyproject.toml")
    dockerfile = (project / "Dockerfile").read_text("utf-8")
    image = parse(project / "compose.yaml")["services"]["web"]["image"]
    assert answers == {
        "project_name": metadata["tool"]["microblog"]["title"],
        "project_slug": metadata["project"]["name"],
        "release": metadata["project"]["version"],
        "sentry_dsn": parse(project / ".env")["SENTRY_DSN"],
        "docker_image": image.removesuffix(":${TAG:-latest}"),
        "python_version": re.findall(r"^FROM python:(.*)-slim ", dockerfile, re.MULTILINE)[0],
    }


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_ruff_is_content(baked: Baked, command: str) -> None:
    """The project passes its own linter and formatter."""
    assert ruff_complaints(command, baked[1]) == ""


def bake_changed(cookies: Cookies, folder: Path, change: Callable[[bytes], bytes]) -> Path:
    """Bake a copy of the template in which every file of the body was changed."""
    shutil.copytree(BODY, body := folder / "template" / BODY.name)
    shutil.copy(TEMPLATE / "cookiecutter.json", body.parent)
    for path in (body / name for name in files(body)):
        path.write_bytes(change(path.read_bytes()))
    project: Path = cookies.bake(template=str(body.parent)).project_path
    return project


def test_only_six_files_are_rendered(cookies: Cookies, tmp_path: Path) -> None:
    """A tag in any other file, at whatever depth, comes out as it went in."""
    project = bake_changed(cookies, tmp_path, lambda text: text + b"{{ cookiecutter.release }}")
    rendered = {name for name in files(project) if (project / name).read_bytes().endswith(b"0.1.0")}
    assert rendered == RENDERED


def test_line_ends_are_unix(cookies: Cookies, tmp_path: Path) -> None:
    """A checkout with carriage returns does not hand them on to what is rendered."""
    project = bake_changed(cookies, tmp_path, lambda text: text.replace(b"\n", b"\r\n"))
    assert [name for name in RENDERED if b"\r" in (project / name).read_bytes()] == []


def test_every_file_parses(default_project: Path) -> None:
    """Python, TOML, YAML, JSON, templates and `.env` are read by their own parsers."""
    assert parse_files(default_project, files(default_project))


def test_bakes_are_alike(default_project: Path, cookies: Cookies) -> None:
    """Only the secrets differ between two bakes, so an update shows real changes."""
    other = cookies.bake().project_path
    names = list(files(default_project))
    assert filecmp.cmpfiles(default_project, other, names, shallow=False)[1:] == ([".env"], [])


@dataclass
class Overwritten:
    """A project that was baked twice, the second time with a DSN."""

    env: tuple[bytes, bytes]  # before and after
    added: set[Path]
    message: str


@pytest.fixture(scope="module")
def overwritten(tmp_path_factory: pytest.TempPathFactory) -> Overwritten:
    """Bake into a folder, add a file to each folder in it, and bake over it with a DSN."""
    terminal = Terminal(tmp_path_factory.mktemp("overwritten"))
    terminal.cookiecutter("--no-input")
    project = terminal.root / "here" / "microblog"
    env = (project / ".env").read_bytes()
    added = {path / "mine" for path in [project, *project.rglob("*")] if path.is_dir()}
    for path in added:
        path.touch()
    run = terminal.cookiecutter("--no-input", "--overwrite-if-exists", f"sentry_dsn={DSN}")
    return Overwritten((env, (project / ".env").read_bytes()), added, run.stdout)


def test_overwriting_keeps_added_files(overwritten: Overwritten) -> None:
    """A second bake removes nothing that the owner put into any folder."""
    assert {path for path in overwritten.added if path.exists()} == overwritten.added


def test_overwriting_keeps_env(overwritten: Overwritten) -> None:
    """A second bake leaves `.env` alone, whatever DSN is given."""
    before, after = overwritten.env
    assert before == after


def test_overwriting_says_where_a_new_dsn_goes(overwritten: Overwritten) -> None:
    """A DSN that was given and not written is not lost without a word."""
    assert overwritten.message.endswith("put it after SENTRY_DSN= in .env.\n")


def test_project_does_not_tell_of_its_template(default_project: Path) -> None:
    """But for a note in the README on updates, it looks as if written by hand."""
    texts = {name: (default_project / name).read_bytes() for name in files(default_project)}
    assert [name for name in texts if b"cookiecutter" in texts[name].lower()] == ["README.md"]
