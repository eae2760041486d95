"""A newcomer's first day by the words of the READMEs: every command succeeds on the way."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.baking import Terminal
from tests.support.commands import IDENTITY, INHERITED, ODD, Shell
from tests.support.owners import COLUMN, edit
from tests.support.servers import UV, free_port, responds, wait_for
from tests.support.template import BODY, TEMPLATE
from tests.support.updates import add, copy_sources, cruft, release
from tests.support.visitors import get

pytestmark = pytest.mark.slow

PAGE = """\
{% extends "base.html" %}
{% block title %}Notes{% endblock %}
{% block content %}<p>At most {{ config.NOTES_MAX }} notes</p>{% endblock %}
"""
LINK = '{% from "macros.html" import nav_link %}\n{{ nav_link("Notes", "notes.index") }}\n'
NICKNAME = '    nickname: Mapped[str] = mapped_column(String(30), server_default="")\n'
THEIRS = "# A line of the template's next version.\n"


class Newcomer(Shell):
    """A person with a new project who follows its README."""

    def __init__(self, folder: Path) -> None:
        """Let commands find uv, and a name for commits."""
        path = f"{Path(UV).parent}:{INHERITED['PATH']}"
        super().__init__(folder, {**INHERITED, **IDENTITY, "PATH": path})
        self.readme = (folder / "README.md").read_text("utf-8")

    def follow(self, heading: str, *commands: str) -> None:
        """Run commands of a section of the README, by what they begin with.

        Recipes succeed whatever the environment has.
        """
        section = re.findall(rf"^## {heading}\n(.*?)^## ", self.readme, re.M | re.S)[0]
        told = re.findall(r"^ {4,8}(\S.*?)(?: +#.*)?$", section, re.M)
        for command in commands:
            [line] = [line for line in told if line.startswith(command)]
            self.succeed("sh", "-c", line, **ODD if line.startswith("make") else {})

    def run_once(self, *paths: str) -> None:
        """Run the app with `make run`, open pages, edit their frame, and press Ctrl+C."""
        frame = self.folder / "app/templates/base.html"
        html = frame.read_text("utf-8")
        port = free_port()
        command, url = ("make", "run", f"PORT={port}"), f"http://127.0.0.1:{port}"
        with subprocess.Popen(
            command, cwd=self.folder, env=self.variables, start_new_session=True
        ) as process:
            try:
                wait_for(lambda: responds(f"{url}/healthz"), url)
                assert [get(url + path).status_code for path in paths] == [200] * len(paths)
                frame.write_text(f"{html}<!-- edited -->", "utf-8")
                assert "<!-- edited -->" in get(url).text
            finally:
                frame.write_text(html, "utf-8")
                os.killpg(process.pid, signal.SIGINT)

    def add_notes(self) -> None:
        """Add a page with a link to it, a column and a setting."""
        notes = self.folder / "app/notes"
        pages = notes / "templates/notes"
        pages.mkdir(parents=True)
        [routes] = re.findall(r"^```python\n(.*?)^```", self.readme, re.M | re.S)
        (notes / "routes.py").write_text(routes)
        (pages / "index.html").write_text(PAGE)
        (pages / "navigation.html").write_text(LINK)
        edit(self.folder / "app/auth/models.py", COLUMN, NICKNAME + COLUMN)
        [setting] = re.findall(r"such as `(NOTES_MAX = .+?)`", self.readme)
        last = "    REDIS_URL = "
        edit(self.folder / "app/config.py", last, f"    {setting}\n{last}")
        add(self.folder / ".env.example", after="# Most notes of a page.\n# NOTES_MAX=100\n")

    def commit(self) -> None:
        """Commit everything, with the hooks that `make install` has added."""
        assert (self.folder / ".git/hooks/pre-commit").exists()
        super().commit()


@pytest.fixture
def template(tmp_path: Path) -> Shell:
    """Return a repository of the template, whose only release is this version."""
    template = Shell(tmp_path / "template", {**INHERITED, **IDENTITY})
    copy_sources(template.folder)
    release(template, "1.0.0")
    return template


@pytest.mark.parametrize("answers", [{}, {"microblog": False, "project_name": 'It\'s "mine" & so'}])
def test_first_day_is_green(
    template: Shell, terminal: Terminal, answers: dict[str, str | bool]
) -> None:
    """A new page, column and setting, and an update, pass the linters, the tests and the hooks."""
    create = cruft(TEMPLATE, template, "v1.0.0")["create"]
    terminal.succeed(*create, "--no-input", "--extra-context", json.dumps(answers))
    [folder] = terminal.folder.iterdir()
    newcomer = Newcomer(folder)
    newcomer.succeed("git", "init", "--quiet")
    newcomer.follow("Change it", "make install")
    newcomer.run_once("/")
    newcomer.commit()
    newcomer.add_notes()
    newcomer.follow("Change it", ".venv/bin/flask db migrate", ".venv/bin/flask db upgrade")
    newcomer.follow("Change it", "make format", "make lint", "make test")
    newcomer.run_once("/", "/notes")
    newcomer.commit()
    add(template.folder / BODY.name / "app/config.py", before=THEIRS)
    release(template, "2.0.0")
    newcomer.succeed(*cruft(newcomer.folder, template, "v1.0.0")["update"])
    newcomer.commit()
    assert THEIRS in newcomer.succeed("git", "show", "HEAD:app/config.py")
