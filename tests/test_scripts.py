"""The project's Makefile and the scripts in bin/ that it calls."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.commands import Shell
from tests.support.servers import env_of
from tests.support.template import BODY

SCRIPTS = sorted(path for path in (BODY / "bin").iterdir() if path.suffix == "")


@pytest.fixture
def fresh(default_project: Path, tmp_path: Path) -> Shell:
    """Return a copy of the default project without `.env`."""
    project = Shell(shutil.copytree(default_project, tmp_path / "project"))
    project.variables["DOCKER_HOST"] = "tcp://127.0.0.1:1"  # nothing is deployed from here
    (project.folder / ".env").unlink()
    return project


def test_recipes_are_short() -> None:
    """No recipe of the Makefile has more than five lines; longer ones are scripts."""
    makefile = (BODY / "Makefile").read_text("utf-8")
    recipes = re.findall(r"^(\S+):.*\n((?:\t.*\n)+)", makefile, re.M)
    assert [target for target, recipe in recipes if recipe.count("\n") > 5] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_stop_at_errors(script: Path, default_project: Path) -> None:
    """Each script is executable and ends at the first command that fails."""
    assert (default_project / "bin" / script.name).stat().st_mode & 0o111
    assert "\nset -eu\n" in script.read_text("utf-8")


def test_env_has_fresh_secrets(fresh: Shell) -> None:
    """`make env` writes both secrets in the format of the hook: 64 hexadecimal digits."""
    fresh.succeed("make", "env")
    env = env_of(fresh.folder)
    secrets = [env["SECRET_KEY"], env["POSTGRES_PASSWORD"]]
    assert [bool(re.fullmatch("[0-9a-f]{64}", secret)) for secret in secrets] == [True, True]


def test_env_is_private(fresh: Shell) -> None:
    """Only its owner can read the `.env` that `make env` writes."""
    fresh.succeed("make", "env")
    assert (fresh.folder / ".env").stat().st_mode & 0o777 == 0o600


def test_env_is_not_overwritten(fresh: Shell) -> None:
    """`make env` does not change an existing `.env`."""
    (fresh.folder / ".env").write_text("SECRET_KEY=mine\n", "utf-8")
    fresh.succeed("make", "env")
    assert (fresh.folder / ".env").read_text("utf-8") == "SECRET_KEY=mine\n"


def test_deploy_needs_env(fresh: Shell) -> None:
    """Without `.env`, `make deploy` says how to write one."""
    assert fresh.run("make", "deploy").stderr.startswith("There is no .env: run bin/env")


@pytest.mark.parametrize("url", ["", "blog.example.com", "https://blog.example.com/blog"])
def test_deploy_needs_public_url(fresh: Shell, url: str) -> None:
    """Without a PUBLIC_URL that Caddy can serve, `make deploy` says what is expected."""
    fresh.succeed("make", "env")
    (fresh.folder / ".env").write_text(f"PUBLIC_URL={url}\n", "utf-8")
    complaint = f"PUBLIC_URL in .env is not valid: '{url}' (expected a URL without a path"
    assert fresh.run("make", "deploy").stderr.startswith(complaint)


def test_restore_needs_a_file(fresh: Shell) -> None:
    """`make restore` without a file says that it expects one."""
    assert "expected the file to restore" in fresh.run("make", "restore").stderr
