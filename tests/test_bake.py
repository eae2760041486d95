"""The files of a baked project, with each answer changed alone and in pairs."""

import filecmp
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_cookies.plugin import Cookies, Result

from tests.support import snapshots
from tests.support.answers import FILES, OTHERS, SELECTIONS, title
from tests.support.baking import Terminal, parse, parse_files
from tests.support.hooks import UNCHOSEN
from tests.support.template import ANSWERS, BODY, DSN, PROMPTS, RENDERED, TEMPLATE, WRITTEN, files

Baked = tuple[dict[str, Any], Path]


@pytest.fixture(scope="module", params=SELECTIONS, ids=title)
def baked(request: pytest.FixtureRequest, bake_once: Callable[..., Result]) -> Baked:
    """Return the answers and the project of each changed answer and of each pair."""
    result = bake_once(**{key: OTHERS[key] for key in request.param})
    return {key: result.context[key] for key in PROMPTS}, result.project_path


def test_other_answers_differ() -> None:
    """The answers that the other tests give differ from the defaults."""
    assert [key for key in PROMPTS if OTHERS[key] == ANSWERS[key]] == []


def test_every_prompt_is_used() -> None:
    """Each answer is rendered into a file; only the DSN is written by a hook instead."""
    assert [key for key in PROMPTS if not FILES[key]] == ["sentry_dsn"]


def test_no_trace_of_browser_tracing(bake_once: Callable[..., Result]) -> None:
    """Without tracing in the browser, no file names a tool or a package that it needs."""
    project = Path(bake_once(browser_tracing=False).project_path)
    texts = {name: (project / name).read_bytes() for name in files(project)}
    words = (b"@sentry/browser", b"esbuild", b"node_modules", b"npm ci")
    assert [name for name, text in texts.items() if any(word in text for word in words)] == []


def test_nothing_is_left_unrendered(baked: Baked) -> None:
    """No rendered file contains a tag of Cookiecutter. The README shows one of the app's own."""
    texts = {name: (baked[1] / name).read_text("utf-8") for name in RENDERED}
    tag = re.compile(r"\{[{%][^}]*cookiecutter|\{% *(raw|endraw|if|endif|else)\b")
    assert [name for name, text in texts.items() if tag.search(text)] == []


def test_rendered_files_parse(baked: Baked) -> None:
    """Rendered files are valid TOML, YAML, JSON and so on with all answers."""
    assert parse_files(baked[1], WRITTEN)


def test_answers_reach_their_files(baked: Baked) -> None:
    """Each answer that is a text is in every file that is rendered with it."""
    answers, project = baked
    texts = {name: (project / name).read_text("utf-8") for name in RENDERED}
    keys = [key for key in PROMPTS if isinstance(answers[key], str)]
    places = [(key, name) for key in keys for name in FILES[key]]
    assert [(key, name) for key, name in places if str(answers[key]) not in texts[name]] == []


def test_answers_are_read_from_their_files(baked: Baked) -> None:
    """The fields that tools read in the rendered files have the answers as values."""
    answers, project = baked
    metadata = parse(project / "pyproject.toml")
    dockerfile = (project / "Dockerfile").read_text("utf-8")
    image = parse(project / "compose.yaml")["services"]["web"]["image"]
    found = {
        "project_name": metadata["tool"]["app"]["title"],
        "project_slug": metadata["project"]["name"],
        "release": metadata["project"]["version"],
        "sentry_dsn": parse(project / ".env")["SENTRY_DSN"],
        "docker_image": image.removesuffix(":${TAG:-latest}"),
        "python_version": re.findall(r"^FROM python:(.*)-slim ", dockerfile, re.MULTILINE)[0],
    }
    assert found == {key: answers[key] for key in found}


@pytest.fixture(scope="module")
def changed(cookies_session: Cookies, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bake a copy of the template whose body has carriage returns, and a tag in each file."""
    body = tmp_path_factory.mktemp("template") / BODY.name
    shutil.copytree(BODY, body)
    shutil.copy(TEMPLATE / "cookiecutter.json", body.parent)
    for path in (body / name for name in files(body)):
        text = path.read_bytes().replace(b"\n", b"\r\n")
        path.write_bytes(text + b"{{ cookiecutter.release }}")
    return Path(cookies_session.bake(template=str(body.parent)).project_path)


def test_only_files_with_tags_are_rendered(changed: Path) -> None:
    """A tag that is added to any other file, in whatever folder, is copied as it is."""
    rendered = {name for name in files(changed) if (changed / name).read_bytes().endswith(b"0.1.0")}
    assert rendered == RENDERED


def test_line_ends_are_unix(changed: Path) -> None:
    """Rendered files have no carriage returns, even when the template was checked out with them."""
    assert [name for name in RENDERED if b"\r" in (changed / name).read_bytes()] == []


def test_every_file_parses(default_project: Path) -> None:
    """Python, TOML, YAML, JSON, HTML templates and `.env` pass their own parsers."""
    assert parse_files(default_project, files(default_project))


def test_copied_files_are_the_body(default_project: Path) -> None:
    """Files without a tag have the bytes that they have in the body."""
    copied = list(files(BODY) - RENDERED - UNCHOSEN)
    assert filecmp.cmpfiles(BODY, default_project, copied, shallow=False)[1:] == ([], [])


def test_bakes_are_equal(default_project: Path, cookies: Cookies) -> None:
    """Two bakes differ only in `.env`, so that an update shows real changes."""
    other = cookies.bake().project_path
    names = files(default_project) - {".env"}
    assert filecmp.cmpfiles(default_project, other, names, shallow=False)[1:] == ([], [])


def test_bakes_are_as_reviewed(bake_once: Callable[..., Result]) -> None:
    """Each selection of switches bakes the files that the snapshot lists."""
    text = snapshots.snapshot(lambda answers: Path(bake_once(**answers).project_path))
    assert text == snapshots.SNAPSHOTS.read_text("utf-8")


def test_overwriting_keeps_own_files(terminal: Terminal) -> None:
    """A second bake over a project changes neither `.env` nor a file that its owner added."""
    terminal.cookiecutter("--no-input")
    project = terminal.folder / ANSWERS["project_slug"]
    folders = [project, *(path for path in project.rglob("*") if path.is_dir())]
    own = {path / "mine": b"mine" for path in folders}
    for path, content in own.items():
        path.write_bytes(content)
    own[project / ".env"] = (project / ".env").read_bytes()
    terminal.cookiecutter("--no-input", "--overwrite-if-exists", f"sentry_dsn={DSN}")
    assert {path: path.read_bytes() for path in own if path.exists()} == own


def test_project_does_not_mention_its_template(default_project: Path) -> None:
    """No file mentions Cookiecutter, except for the README's section on updates."""
    texts = {name: (default_project / name).read_bytes() for name in files(default_project)}
    assert [name for name in texts if b"cookiecutter" in texts[name].lower()] == ["README.md"]
