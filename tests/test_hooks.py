"""The hooks as programs: what they import, what they write and what they print."""

import ast
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given
from hypothesis import strategies as st
from pytest_cookies.plugin import Cookies

from tests.support.answers import HOSTILE
from tests.support.hooks import POST_GEN, SOURCES
from tests.support.template import ANSWERS, BODY, DSN, files, render

SECRETS = ["SECRET_KEY", "POSTGRES_PASSWORD"]


def imported(source: str) -> set[str]:
    """Return the modules that a source imports."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("hook", SOURCES)
def test_hooks_need_nothing_else(hook: str) -> None:
    """A hook needs no package, no other program and no network."""
    others = {"subprocess", "socket", "urllib", "http", "asyncio"}
    assert imported(SOURCES[hook]) <= sys.stdlib_module_names - others


@pytest.mark.parametrize("hook", SOURCES)
def test_hooks_are_short(hook: str) -> None:
    """A hook is under 100 lines long, so that users can read it before they run it.

    The files that each option brings do not count.
    """
    code = re.sub(r"^PARTS = \{.*?^\}\n", "", SOURCES[hook], flags=re.MULTILINE | re.DOTALL)
    assert len(code.splitlines()) < 100


hostile_answers = given(
    hook=st.sampled_from(list(SOURCES)),
    answer=st.lists(st.sampled_from(HOSTILE) | st.text()).map("".join),
)


@hostile_answers
def test_rendering_changes_one_line(hook: str, answer: str) -> None:
    """A rendered hook differs from its source only in the line that reads the answers."""
    source = SOURCES[hook]
    result = render(source, **ANSWERS | {"project_name": answer})
    pairs = zip(source.splitlines(), result.splitlines(), strict=True)
    [changed] = [line for line, rendered in pairs if line != rendered]
    assert "json.loads(" in changed


@hostile_answers
def test_answers_enter_hooks_as_data(hook: str, answer: str) -> None:
    """With any answer, the rendered hook is valid Python and reads that answer."""
    tree = ast.parse(render(SOURCES[hook], **ANSWERS | {"project_name": answer}))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    [text] = [call.args[0] for call in calls if ast.unparse(call.func) == "json.loads"]
    assert json.loads(ast.literal_eval(text))["project_name"] == answer


def test_default_project_gets_an_env_file(default_project: Path) -> None:
    """`.env` is `.env.example` with two secrets filled in."""
    example, env = (dotenv_values(default_project / name) for name in (".env.example", ".env"))
    assert {key for key in env if env[key] != example[key]} == set(SECRETS)


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_long_and_plain(default_project: Path, name: str) -> None:
    """A secret has 256 bits, in characters that every reader of `.env` takes literally."""
    assert re.fullmatch("[0-9a-f]{64}", dotenv_values(default_project / ".env")[name] or "")


def test_secrets_differ(default_project: Path, cookies: Cookies) -> None:
    """All secrets of two projects are different."""
    projects = (default_project, cookies.bake().project_path)
    assert len({dotenv_values(path / ".env")[name] for path in projects for name in SECRETS}) == 4


def test_dsn_is_stripped(cookies: Cookies) -> None:
    """A DSN that was pasted with whitespace around it is written without it."""
    project = cookies.bake({"sentry_dsn": f" {DSN}\t"}).project_path
    assert f"SENTRY_DSN={DSN}" in (project / ".env").read_text().splitlines()


@pytest.fixture
def unfinished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project before its post-gen hook has run; it is the current folder."""
    (tmp_path / ".env.example").write_bytes((BODY / ".env.example").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("dsn", "state"), [("", "off"), (DSN, "on")])
def test_message_says_whether_sentry_is_on(unfinished: Path, dsn: str, state: str) -> None:
    """The closing message says whether Sentry is on."""
    assert POST_GEN.write_env(dsn).startswith(f"Sentry is {state}")


@pytest.mark.parametrize(("dsn", "words"), [("", "unchanged"), (DSN, "put it after SENTRY_DSN=")])
def test_message_says_that_env_existed(unfinished: Path, dsn: str, words: str) -> None:
    """The closing message says that `.env` is unchanged, and where a given DSN goes."""
    (unfinished / ".env").touch()
    assert words in POST_GEN.write_env(dsn)


def test_env_file_that_cannot_be_written_is_reported(unfinished: Path) -> None:
    """The hook reports the error and does not fail, because that would remove the project."""
    (unfinished / ".env.example").unlink()
    assert POST_GEN.write_env("").startswith("Could not write .env (No such file")


def test_partial_env_file_is_removed(unfinished: Path) -> None:
    """When the disk is full, no part of `.env` remains, so that `make env` can write it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        message = POST_GEN.write_env("")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert message.startswith("Could not write .env (File too large")
    assert not (unfinished / ".env").exists()


def run_hook(name: str, folder: Path, stdout: int, **answers: str) -> int:
    """Run a rendered copy of a hook in a folder, as Cookiecutter does; return its exit status."""
    hook = folder / "rendered.py"
    hook.write_text(render(SOURCES[name], **ANSWERS | answers), "utf-8")
    return subprocess.run([sys.executable, hook], cwd=folder, stdout=stdout).returncode


def test_closed_output_is_no_failure(unfinished: Path) -> None:
    """The project survives when nothing reads the hook's standard output."""
    reader, writer = os.pipe()
    os.close(reader)
    assert run_hook("post_gen_project", unfinished, writer) == 0
    os.close(writer)


@pytest.mark.parametrize("hook", SOURCES)
def test_hooks_remove_their_rendered_copy(unfinished: Path, hook: str) -> None:
    """The rendered copy in the temp folder contains the DSN, so the hook removes it."""
    run_hook(hook, unfinished, subprocess.DEVNULL)
    assert "rendered.py" not in files(unfinished)


@pytest.mark.parametrize("hook", SOURCES)
def test_hooks_import_nothing_beside_them(unfinished: Path, hook: str) -> None:
    """A module that another user has put into the temp folder is not run."""
    for name in imported(SOURCES[hook]) - {"sys"}:  # sys is built in
        (unfinished / f"{name}.py").write_text("raise SystemExit('Mine.')")
    assert run_hook(hook, unfinished, subprocess.DEVNULL) == 0


def test_message_says_what_comes_next(cookies: Cookies, capfd: pytest.CaptureFixture[str]) -> None:
    """The closing message lists the commands from the new folder to a running app."""
    project = cookies.bake().project_path
    lines = [line.split("  #")[0].strip() for line in capfd.readouterr().out.splitlines()]
    assert lines[3:7] == [f"cd {project}", "git init", "make seed", "make run"]
