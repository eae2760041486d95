"""The hooks as programs: what they are made of, what they write and what they say."""

import ast
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import post_gen_project
import pytest
from dotenv import dotenv_values
from helpers import ANSWERS, BODY, DSN, TEMPLATE, files, render
from hypothesis import given
from hypothesis import strategies as st
from pytest_cookies.plugin import Cookies
from strategies import HOSTILE

HOOKS = sorted((TEMPLATE / "hooks").glob("*.py"))
SECRETS = ["SECRET_KEY", "POSTGRES_PASSWORD"]


@pytest.fixture(params=HOOKS, ids=lambda path: path.stem)
def source(request: pytest.FixtureRequest) -> str:
    """Return the source of each hook in turn, unrendered."""
    path: Path = request.param
    return path.read_text("utf-8")


def imported(source: str) -> set[str]:
    """Return the modules that a source imports."""
    nodes = list(ast.walk(ast.parse(source)))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}


def test_hooks_need_the_standard_library_only(source: str) -> None:
    """A hook runs under whatever interpreter Cookiecutter runs under."""
    assert imported(source) <= sys.stdlib_module_names


def test_hooks_start_no_process_and_no_connection(source: str) -> None:
    """A hook that waits for something else can fail for its reasons."""
    assert imported(source).isdisjoint({"subprocess", "socket", "urllib", "http", "asyncio"})


def test_hooks_stay_short(source: str) -> None:
    """A hook is under 100 lines, so that it is read before it is trusted."""
    assert len(source.splitlines()) < 100


@given(
    source=st.sampled_from([path.read_text("utf-8") for path in HOOKS]),
    answer=st.lists(st.sampled_from(HOSTILE) | st.text()).map("".join),
)
def test_answers_enter_hooks_as_data(source: str, answer: str) -> None:
    """Whatever an answer holds, the rendered hook is Python and reads that answer."""
    tree = ast.parse(render(source, **ANSWERS | {"project_name": answer}))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    [text] = [call.args[0] for call in calls if ast.unparse(call.func) == "json.loads"]
    assert json.loads(ast.literal_eval(text))["project_name"] == answer


def test_default_project_gets_an_env_file(default_project: Path) -> None:
    """`.env` is `.env.example` with three values filled in."""
    example, env = (dotenv_values(default_project / name) for name in (".env.example", ".env"))
    assert {key for key in env if env[key] != example[key]} == set(SECRETS)


def test_env_file_is_private(default_project: Path) -> None:
    """Nobody else on the machine may read the secrets."""
    assert stat.S_IMODE((default_project / ".env").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", SECRETS)
def test_secrets_are_long_and_plain(default_project: Path, name: str) -> None:
    """A secret has 256 bits in an alphabet that no reader of `.env` expands."""
    assert re.fullmatch("[0-9a-f]{64}", dotenv_values(default_project / ".env")[name] or "")


def test_secrets_differ(default_project: Path, cookies: Cookies) -> None:
    """No two secrets are the same, in one project or in two."""
    projects = (default_project, cookies.bake().project_path)
    assert len({dotenv_values(path / ".env")[name] for path in projects for name in SECRETS}) == 4


def test_dsn_is_stripped(cookies: Cookies) -> None:
    """A DSN that was pasted with white space around it is written without."""
    project = cookies.bake({"sentry_dsn": f" {DSN}\t"}).project_path
    assert f"SENTRY_DSN={DSN}" in (project / ".env").read_text().splitlines()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a project that waits for its post-gen hook."""
    (tmp_path / ".env.example").write_bytes((BODY / ".env.example").read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("env", ["", "SENTRY_DSN=https://mine@example.com/1\n"])
def test_existing_env_file_is_left_alone(project: Path, env: str) -> None:
    """Secrets in use survive a second bake, whatever was typed."""
    (project / ".env").write_text(env)
    post_gen_project.write_env(DSN)
    assert (project / ".env").read_text() == env


@pytest.mark.parametrize(
    ("existing", "dsn", "words"),
    [
        (False, "", "Sentry is off"),
        (False, DSN, "Sentry is on"),
        (True, "", "left alone"),
        (True, DSN, "not written: put it after SENTRY_DSN= in .env"),
    ],
)
def test_closing_line_says_how_sentry_stands(
    project: Path, existing: bool, dsn: str, words: str
) -> None:
    """Whoever bakes learns whether Sentry is on, and where a DSN goes."""
    if existing:
        (project / ".env").touch()
    assert words in post_gen_project.write_env(dsn)


def test_env_file_that_cannot_be_written_is_said(project: Path) -> None:
    """A hook that failed would take the whole project along."""
    (project / ".env.example").unlink()
    assert post_gen_project.write_env("").startswith("Could not write .env (No such file")


def run(name: str, folder: Path, stdout: int, **answers: str) -> subprocess.CompletedProcess[bytes]:
    """Run a rendered copy of a hook in a folder, as Cookiecutter does."""
    hook = folder / "rendered.py"
    source = (TEMPLATE / "hooks" / f"{name}.py").read_text("utf-8")
    hook.write_text(render(source, **ANSWERS | answers), "utf-8")
    return subprocess.run([sys.executable, hook], cwd=folder, stdout=stdout, check=False)


def test_nobody_listening_is_no_failure(project: Path) -> None:
    """A closed standard output does not cost the project."""
    reader, writer = os.pipe()
    os.close(reader)
    assert run("post_gen_project", project, writer).returncode == 0
    os.close(writer)


@pytest.mark.parametrize("hook", ["pre_gen_project", "post_gen_project"])
def test_hooks_remove_their_rendered_copy(project: Path, hook: str) -> None:
    """The copy in the temp folder holds the DSN."""
    run(hook, project, subprocess.DEVNULL)
    assert "rendered.py" not in files(project)


def test_message_says_what_comes_next(cookies: Cookies, capfd: pytest.CaptureFixture[str]) -> None:
    """The closing message leads from the new folder to a running app."""
    project = cookies.bake().project_path
    lines = [line.split("  #")[0].strip() for line in capfd.readouterr().out.splitlines()]
    assert lines[3:6] == [f"cd {project}", "git init", "make run"]
