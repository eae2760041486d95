"""Versions of the template, and the commands of cruft that take a project from one to the next."""

import re
import shlex
import shutil
import sys
from pathlib import Path

from tests.support.commands import HERE, Shell
from tests.support.template import BODY, TEMPLATE

SOURCES = """bin hooks CHANGELOG.md Makefile cookiecutter.json pyproject.toml
    requirements.txt""".split()


def copy_sources(folder: Path) -> None:
    """Copy this version of the template into a folder, in place of another version if any."""
    folder.mkdir(exist_ok=True)
    for name in (*SOURCES, BODY.name):
        if (TEMPLATE / name).is_dir():
            shutil.rmtree(folder / name, ignore_errors=True)
            shutil.copytree(TEMPLATE / name, folder / name)
        else:
            shutil.copy(TEMPLATE / name, folder)


def release(template: Shell, version: str) -> str:
    """Release what a copy of the template has now, and return the tag."""
    template.commit()
    template.succeed("make", "release", f"VERSION={version}")
    return f"v{version}"


def release_first(template: Shell) -> str:
    """Make a repository of the template's first version, which is this one until one is tagged."""
    tags = HERE.run("git", "tag", "--list", "v*", "--sort", "version:refname").stdout.split()
    if tags:
        HERE.succeed("git", "clone", "--quiet", "--branch", tags[0], ".", template.folder)
        template.succeed("git", "switch", "--quiet", "--create", "newest")
        return tags[0]
    copy_sources(template.folder)
    return release(template, "1.0.0")


def add(path: Path, before: str = "", after: str = "") -> None:
    """Add text to the beginning and to the end of a file."""
    path.write_text(before + path.read_text("utf-8") + after, "utf-8")


def cruft(folder: Path, template: Shell, first: str) -> dict[str, list[str]]:
    """Return the cruft commands of the README in a folder, for a template on this disk."""
    readme = (folder / "README.md").read_text("utf-8").replace("v1.0.0", first)
    lines = re.findall(r"^    uvx cruft (.+?)(?: +#.*)?$", readme, re.MULTILINE)
    local = [re.sub(r"^(create|link) \S+", rf"\1 {template.folder}", line) for line in lines]
    return {line.split()[0]: [sys.executable, "-m", "cruft", *shlex.split(line)] for line in local}
