"""The template's own tools: their pins and the Makefile's recipes."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.support.template import BODY, TEMPLATE

LOCK = (TEMPLATE / "requirements.txt").read_text("utf-8")
MAKEFILE = (TEMPLATE / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((TEMPLATE / "pyproject.toml").read_text("utf-8"))
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
    tools = set(PROJECT["dependency-groups"]["dev"])
    assert tools <= {pin.split("==")[0] for pin in PINS}


def test_every_pin_has_a_hash() -> None:
    """Each package of the lock has a hash."""
    assert len(PINS) == len(re.findall(r"== ?\S+.*\\\n +--hash=", LOCK))


def test_lock_names_no_index() -> None:
    """The lock contains no URL, so that it works with any mirror of the package index."""
    assert "://" not in LOCK


def test_every_recipe_is_explained() -> None:
    """`make help` lists each recipe."""
    [recipes] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert re.findall(r"^([a-z-]+):.*  ## \w", MAKEFILE, re.MULTILINE) == recipes.split()
