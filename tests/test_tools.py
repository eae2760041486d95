"""The template's own tools: pins, recipes, settings."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from helpers import BODY, TEMPLATE

LOCK = (TEMPLATE / "requirements.txt").read_text("utf-8")
MAKEFILE = (TEMPLATE / "Makefile").read_text("utf-8")
PROJECT = tomllib.loads((TEMPLATE / "pyproject.toml").read_text("utf-8"))
PINS = set(re.findall(r"^([\w.-]+==[\w.]+)", LOCK, re.MULTILINE))


@pytest.mark.parametrize("folder", [TEMPLATE, BODY], ids=["template", "body"])
def test_pre_commit_uses_the_locked_tools(folder: Path) -> None:
    """Nothing updates the pins of local hooks by itself."""
    config = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text("utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {pin for hook in hooks for pin in hook["additional_dependencies"]} <= PINS


def test_body_is_linted_by_the_same_ruff() -> None:
    """What the template's ruff passes, the project's own passes too."""
    [pin] = [pin for pin in PINS if pin.startswith("ruff==")]
    assert f"\n{pin} " in (BODY / "requirements/dev.txt").read_text("utf-8")


def test_lock_is_complete() -> None:
    """Every tool that pyproject.toml names is pinned."""
    tools = set(PROJECT["dependency-groups"]["dev"])
    assert tools <= {pin.split("==")[0] for pin in PINS}


def test_every_pin_has_a_hash() -> None:
    """Nothing is installed that was not seen when it was locked."""
    assert len(PINS) == len(re.findall(r"== ?\S+.*\\\n +--hash=", LOCK))


def test_lock_names_no_index() -> None:
    """The lock works behind a mirror of the package index."""
    assert "://" not in LOCK


def test_every_recipe_is_explained() -> None:
    """`make help` lists each recipe."""
    [recipes] = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert re.findall(r"^([a-z-]+):.*  ## \w", MAKEFILE, re.MULTILINE) == recipes.split()
