"""The template's own tools: their pins and the Makefile's recipes."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from runpy import run_path
from typing import Any

import pytest
import yaml
from packaging.version import Version

from tests.support.commands import HERE, IDENTITY, ODD, Shell
from tests.support.servers import UV, wait_for
from tests.support.template import BODY, CONTEXT, TEMPLATE, files

LOCK = (TEMPLATE / "requirements.txt").read_text("utf-8")
MAKEFILE = (TEMPLATE / "Makefile").read_text("utf-8")
TAGS = HERE.run("git", "tag", "--list", "v*", "--sort", "version:refname").stdout.split()
PINS = set(re.findall(r"^([\w.-]+==[\w.]+)", LOCK, re.MULTILINE))


@pytest.mark.parametrize("folder", [TEMPLATE, BODY], ids=["template", "body"])
def test_pre_commit_uses_the_locked_tools(folder: Path) -> None:
    """The local pre-commit hooks use the versions of the lock."""
    config = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {pin for hook in hooks for pin in hook["additional_dependencies"]} <= PINS


def test_body_is_linted_by_the_same_ruff() -> None:
    """The template and the project pin the same version of ruff."""
    [pin] = [pin for pin in PINS if pin.startswith("ruff==")]
    assert f"\n{pin} " in (BODY / "requirements/dev.txt").read_text("utf-8")


def test_lock_is_complete() -> None:
    """Every tool that pyproject.toml names is pinned."""
    project = tomllib.loads((TEMPLATE / "pyproject.toml").read_text("utf-8"))
    assert set(project["dependency-groups"]["dev"]) <= {pin.split("==")[0] for pin in PINS}


def test_lock_names_no_index() -> None:
    """The lock contains no URL, so that it works with any mirror of the package index."""
    assert "://" not in LOCK


def test_ci_has_every_python() -> None:
    """CI installs each Python that the prompt offers, and the oldest one of Cookiecutter."""
    workflow = yaml.safe_load((TEMPLATE / ".github/workflows/ci.yml").read_text("utf-8"))
    steps = {step.get("uses", "").split("@")[0]: step for step in workflow["jobs"]["test"]["steps"]}
    pythons = steps["actions/setup-python"]["with"]["python-version"]
    assert set(pythons.split()) == {*CONTEXT["python_version"], "3.10"}


def test_prereleases_are_tested_on_the_next_python() -> None:
    """The weekly test with pre-releases uses the newest Python of the prompt, and the next one."""
    workflow = yaml.safe_load((TEMPLATE / ".github/workflows/prerelease.yml").read_text("utf-8"))
    newest = max(CONTEXT["python_version"], key=Version)
    following = f"3.{int(newest.split('.')[1]) + 1}-dev"
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == [newest, following]


def test_port_to_the_next_sentry_sdk_applies() -> None:
    """The patch that the weekly test applies fits the project as it is."""
    HERE.succeed("git", "apply", "--check", ".ci/sentry-sdk-3.patch")


LOCKED = """
redis==7.1.0 \\
    --hash=sha256:0
    # via limits
sentry-sdk[flask]==2.75.0 \\
    --hash=sha256:0
    # via
    #   -r requirements/prod.in
    #   sentry-tools
"""
OUTDATED: dict[str, Any] = run_path(f"{TEMPLATE}/.ci/outdated.py")


def test_who_needs_a_pin_is_read(tmp_path: Path) -> None:
    """`make outdated` knows which packages need a pin, and so may hold it back."""
    (tmp_path / "prod.txt").write_text(LOCKED, "utf-8")
    assert OUTDATED["pins"](tmp_path / "prod.txt") == {
        "redis": ("7.1.0", "limits"),
        "sentry-sdk": ("2.75.0", "-r requirements/prod.in or sentry-tools"),
    }


@pytest.mark.parametrize(("newest", "shown"), [("8.0.0", ["7", "days", "old"]), ("7.1.0", [])])
def test_pin_that_is_behind_is_listed(
    capsys: pytest.CaptureFixture[str], newest: str, shown: list[str]
) -> None:
    """`make outdated` lists a pin that is behind, with the age of the newest release."""
    week_ago = (datetime.now(UTC) - timedelta(days=7)).isoformat()
    OUTDATED["report"]("redis", "7.1.0", (newest, week_ago), "prod.txt", "by limits")
    line = capsys.readouterr().out.split()
    assert line[3:6] == shown
    assert bool(line) == bool(shown)


@pytest.mark.parametrize(
    ("files", "pin"), [("NPM", "NPM_PIN"), ("IMAGES", "IMAGE"), ("WORKFLOWS", "ACTION")]
)
def test_pins_of_other_registries_are_found(files: str, pin: str) -> None:
    """`make outdated` finds a version in each file in which it looks for pins."""
    found = {where for _, _, where, _ in OUTDATED["find"](OUTDATED[files], OUTDATED[pin])}
    places = {path for pattern in OUTDATED[files] for path in TEMPLATE.glob(pattern)}
    assert found == {str(path.relative_to(TEMPLATE)) for path in places}


def test_linux_runners_are_pinned() -> None:
    """All jobs on Linux run on the same version of Ubuntu, which a workflow names."""
    workflows = [path for root in (TEMPLATE, BODY) for path in root.glob(".github/workflows/*.yml")]
    texts = "".join(path.read_text("utf-8") for path in workflows)
    [runner] = set(re.findall(r"runs-on: (ubuntu-.*)", texts))
    assert runner != "ubuntu-latest"


def test_every_recipe_is_explained() -> None:
    """`make help` lists each recipe."""
    [recipes] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert re.findall(r"^([a-z-]+):.*  ## \w", MAKEFILE, re.MULTILINE) == recipes.split()


@pytest.mark.slow
def test_make_survives_an_interrupt(tmp_path: Path) -> None:
    """After Ctrl+C while make installs uv, the same command succeeds."""
    for name in ("Makefile", "requirements.txt"):
        shutil.copy(TEMPLATE / name, tmp_path)
    command = ("make", ".uv/bin/uv", "UV=.uv/bin/uv")
    with subprocess.Popen(command, cwd=tmp_path, start_new_session=True) as process:
        wait_for(lambda: any(tmp_path.glob(".uv*/lib/*/site-packages/uv*")), "half of uv")
        os.killpg(process.pid, signal.SIGINT)
    assert process.returncode
    Shell(tmp_path).succeed(*command)
    assert Shell(tmp_path).succeed(".uv/bin/uv", "--version").startswith("uv ")


@pytest.mark.slow
def test_make_changes_no_other_environment(tmp_path: Path) -> None:
    """`make` installs into its own environment, whatever Python uv is told to use."""
    theirs = tmp_path / "theirs"
    HERE.succeed(UV, "venv", "--quiet", "--python", sys.executable, theirs)
    [packages] = theirs.glob("lib/*/site-packages")
    module, metadata = packages / "theirs.py", packages / "theirs-1.dist-info"
    module.touch()
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    (metadata / "RECORD").write_text("theirs.py,,\ntheirs-1.dist-info/METADATA,,\n")
    shutil.copy(TEMPLATE / "Makefile", tmp_path)
    [pin] = re.findall(r"^iniconfig==.*\n(?: +--hash.*\n)+", LOCK, re.MULTILINE)
    (tmp_path / "requirements.txt").write_text(pin)
    odd = {"UV_PYTHON": str(theirs), "UV_SYSTEM_PYTHON": "1"}
    Shell(tmp_path).succeed("make", ".venv/ready", f"UV={UV}", f"PYTHON={sys.executable}", **odd)
    assert module.exists()


@pytest.mark.slow
def test_tests_do_not_depend_on_the_shell() -> None:
    """A part of the tests passes under the variables of tests/odd.env."""
    part = "tests/test_hooks.py tests/test_prompts.py tests/test_tools.py"
    command = ("make", "test-fast", f"PYTEST_ADDOPTS=-p no:cacheprovider {part}")
    result = HERE.run("env", *(f"{name}={value}" for name, value in ODD.items()), *command)
    assert result.returncode == 0, result.stdout + result.stderr


def test_demo_survives_an_interrupt(tmp_path: Path) -> None:
    """The files of an interrupted bake do not stop the next one."""
    for name in ("Makefile", "cookiecutter.json", "hooks", BODY.name, "requirements.txt", ".venv"):
        (tmp_path / name).symlink_to(TEMPLATE / name)
    left = tmp_path / "build/baking/microblog/left"
    left.mkdir(parents=True)
    Shell(tmp_path).succeed("make", "build/demo/microblog", f"UV={UV}")
    demo = files(tmp_path / "build/demo/microblog")
    assert ".env" in demo
    assert "left" not in demo


def test_release_is_tagged(tmp_path: Path) -> None:
    """`make release` closes the changelog's section, and tags the commit."""
    repository = Shell(shutil.copytree(TEMPLATE / "bin", tmp_path / "bin").parent)
    for name in ("Makefile", "pyproject.toml", "CHANGELOG.md", "requirements.txt"):
        shutil.copy(TEMPLATE / name, tmp_path)
    repository.commit()
    repository.succeed("make", "release", "VERSION=1.0.0", **IDENTITY)
    assert repository.succeed("git", "describe") == "v1.0.0"
    assert "\n## [1.0.0] - 20" in (tmp_path / "CHANGELOG.md").read_text("utf-8")


def test_changelog_says_what_is_tagged(tmp_path: Path) -> None:
    """The newest release of the changelog is tagged at its own commit, and only once."""
    repository = Shell(tmp_path)
    changelog = tmp_path / "CHANGELOG.md"
    seen = []
    for heading in ("Unreleased", "1.0.0", "1.1.0"):
        changelog.write_text(f"# Changelog\n\n## [{heading}] - 2026-11-28\n")
        repository.commit()
        commit = repository.succeed("git", "rev-parse", "HEAD")
        changelog.write_text(changelog.read_text() + "More.\n")
        repository.commit()
        tag = repository.succeed(TEMPLATE / ".ci/tag")
        seen.append(tag.replace(commit, "COMMIT"))
    repository.succeed("git", "tag", "v1.1.0")
    seen.append(repository.succeed(TEMPLATE / ".ci/tag"))
    assert seen == ["", "v1.0.0 COMMIT", "v1.1.0 COMMIT", ""]


@pytest.mark.parametrize("tag", TAGS[-1:])
def test_released_migrations_stay_as_they_are(tag: str) -> None:
    """A migration of the newest release is neither changed nor removed: projects have run it."""
    migrations = BODY / "migrations/versions"
    changed = HERE.succeed("git", "diff", "--name-only", "--diff-filter=a", tag, "--", migrations)
    assert changed == ""
