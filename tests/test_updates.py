"""A project that cruft updates from the first version of the template to this one."""

import json
import re
import shutil
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.baking import COOKIECUTTER, Terminal
from tests.support.commands import Shell
from tests.support.servers import env_of
from tests.support.template import ANSWERS, BODY, DSN, RENDERED, TEMPLATE, files
from tests.support.updates import add, copy_sources, cruft, release, release_first

pytestmark = pytest.mark.slow

GIVEN = {
    "project_name": 'It\'s "mine" & so',
    "project_slug": "microblog",
    "sentry_dsn": DSN,
    "release": "2.0.0",
}
NEXT = "99.0.0"  # higher than any real version
THEIRS, OURS = "# Theirs.\n", "# Ours.\n"
COPIED = "app/__init__.py app/main/routes.py app/static/style.css app/templates/base.html"
EDITED = sorted(RENDERED | set(COPIED.split()))


@dataclass
class Updated:
    """A project that was updated, and what was seen on the way."""

    project: Shell
    answers: dict[str, Any]
    env: list[bytes]  # `.env` before and after the update
    checks: list[int]  # exit statuses: at first, when the template has changed, after the update
    diff: str
    update: str


@pytest.fixture(scope="module", params=["create", "link"])
def updated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Updated:
    """Make a project of the first version, change project and template, and update the project.

    It is made by cruft, or by Cookiecutter and linked by cruft.
    """
    answers = {**GIVEN, "browser_tracing": request.param == "link"}
    terminal = Terminal(tmp_path_factory.mktemp("cruft"))
    template, project = (
        Shell(terminal.folder / name, terminal.variables) for name in ("template", "microblog")
    )
    first = release_first(template)
    if request.param == "create":
        create = cruft(TEMPLATE, template, first)["create"]
        terminal.succeed(*create, "--no-input", "--extra-context", json.dumps(answers))
    else:
        source = (f"git+file://{template.folder}", "--checkout", first)
        given = [f"{key}={answer}" for key, answer in answers.items()]
        terminal.succeed(*COOKIECUTTER[:-1], *source, "--no-input", *given)
    project.commit()
    commands = cruft(project.folder, template, first)
    if request.param == "link":
        project.succeed(*commands["link"], "--checkout", first)
    work_on(project)
    checks = [project.run(*commands["check"]).returncode]
    release_next(template)
    checks.append(project.run(*commands["check"]).returncode)
    diff = project.succeed(*commands["diff"])
    env = [(project.folder / ".env").read_bytes()]
    update = project.succeed(*commands["update"])
    env.append((project.folder / ".env").read_bytes())
    checks.append(project.run(*commands["check"]).returncode)
    project.commit()
    return Updated(project, answers, env, checks, diff, update)


def release_next(template: Shell) -> None:
    """Release this version of the template, with a new file and with edits."""
    copy_sources(template.folder)
    body = template.folder / BODY.name
    (body / "app/new.py").touch()
    for name in (*EDITED, "deploy/ship.yml"):
        add(body / name, before=THEIRS)
    release(template, NEXT)


def work_on(project: Shell) -> None:
    """Edit files of a project, remove a folder, and make a release."""
    for name in (*EDITED, ".env"):
        add(project.folder / name, after=OURS)
    shutil.rmtree(project.folder / "deploy")
    project.commit()
    project.succeed("make", "release", "VERSION=2.1.0")


def test_answers_are_recorded(updated: Updated) -> None:
    """`.cruft.json` has the answers that were given, without the DSN."""
    recorded = json.loads((updated.project.folder / ".cruft.json").read_text("utf-8"))
    expected = {**ANSWERS, **updated.answers}
    del expected["sentry_dsn"]
    assert expected.items() <= recorded["context"]["cookiecutter"].items()


def test_secrets_are_never_committed(updated: Updated) -> None:
    """Neither `.cruft.json` nor any other file in the history contains a secret of `.env`."""
    env = env_of(updated.project.folder)
    secrets = {env["SECRET_KEY"], env["POSTGRES_PASSWORD"], DSN}
    history = updated.project.succeed("git", "log", "--patch")
    assert DSN in env["SENTRY_DSN"]
    assert [secret for secret in secrets if secret in history + updated.diff] == []


def test_check_tells_whether_the_template_changed(updated: Updated) -> None:
    """`cruft check` fails while the template has a change that the project lacks."""
    assert updated.checks == [0, 1, 0]


def test_diff_shows_the_edits(updated: Updated) -> None:
    """`cruft diff` shows the owner's edits only."""
    edits = re.findall(r"^[+-](# .*)$", updated.diff, re.MULTILINE)
    assert (edits.count(OURS.strip()), edits.count(THEIRS.strip())) == (len(EDITED), 0)


def test_update_adds_new_files(updated: Updated) -> None:
    """A file that was added to the template arrives in the project."""
    assert (updated.project.folder / "app/new.py").exists()


def test_update_merges_edits(updated: Updated) -> None:
    """A file that the template and the owner edited has the edits of each after the update."""
    texts = {name: (updated.project.folder / name).read_text("utf-8") for name in EDITED}
    merged = [name for name in texts if re.match(f"{THEIRS}.*{OURS}$", texts[name], re.S)]
    assert merged == EDITED


def test_update_keeps_the_version(updated: Updated) -> None:
    """An update keeps the version that the owner released last."""
    assert '\nversion = "2.1.0"\n' in (updated.project.folder / "pyproject.toml").read_text("utf-8")


def test_update_keeps_the_choice(updated: Updated) -> None:
    """An update neither adds nor removes the files of the browser."""
    assert (updated.project.folder / "browser").exists() == updated.answers["browser_tracing"]


def test_update_restores_nothing(updated: Updated) -> None:
    """A folder that the owner removed stays removed, although the template changed it."""
    assert not (updated.project.folder / "deploy").exists()


def test_update_keeps_env(updated: Updated) -> None:
    """The hooks run again and do not change `.env`, which the owner edited."""
    assert updated.env[0] == updated.env[1]


def test_comparison_prints_no_next_steps(updated: Updated) -> None:
    """`cruft diff` and `cruft update` print no closing message of the bakes that they compare."""
    assert "git init" not in updated.diff + updated.update


def test_update_has_no_conflicts(updated: Updated) -> None:
    """No file of the project is a reject file or has a conflict marker."""
    assert [name for name in files(updated.project.folder) if name.endswith(".rej")] == []
    assert updated.project.run("git", "grep", "^<<<<<<< ").returncode == 1


def test_refused_answers_leave_nothing(terminal: Terminal) -> None:
    """`cruft create` reports an illegal answer, and leaves no folder."""
    template = Shell(terminal.root / "template", terminal.variables)
    create = cruft(TEMPLATE, template, release_first(template))["create"]
    refused = terminal.run(*create, "--no-input", "--extra-context", '{"project_slug": "a/b"}')
    assert refused.stderr.startswith("project_slug: must be")
    assert list(terminal.folder.iterdir()) == []
