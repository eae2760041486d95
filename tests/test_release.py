"""The first step of a release, `make release`, and what every later step does without settings."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.commands import IDENTITY, Shell
from tests.support.template import BODY

WORKFLOW: dict[str, Any] = yaml.safe_load((BODY / ".github/workflows/release.yml").read_text())
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
SCRIPTS = [path for path in sorted((BODY / "bin").iterdir()) if not path.suffix]


@pytest.fixture
def repository(default_project: Path, tmp_path: Path) -> Shell:
    """Return the default project, version 0.1.0, in a git repository without a tag."""
    shutil.copytree(default_project, tmp_path / "microblog")
    repository = Shell(tmp_path / "microblog")
    repository.variables |= IDENTITY
    repository.commit()
    return repository


def state(repository: Shell) -> tuple[str, ...]:
    """Return what a refusal must not change."""
    arguments = ("show-ref", "status --porcelain", "diff HEAD")
    return tuple(repository.run("git", *line.split()).stdout for line in arguments)


def refusal(repository: Shell, version: str) -> str:
    """Return the one line with which a release is refused, and see that nothing changed."""
    before = state(repository)
    result = repository.run("bin/release", version)
    assert (result.returncode, result.stdout, state(repository)) == (1, "", before)
    [line] = result.stderr.splitlines()
    return line.removeprefix("Nothing was released: ")


@pytest.mark.parametrize(
    "version", ["", "banana", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-rc.01", "1.0.0+build"]
)
def test_malformed_versions_are_refused(repository: Shell, version: str) -> None:
    """A version is MAJOR.MINOR.PATCH or a pre-release of it."""
    assert "is not a version" in refusal(repository, version)


@pytest.mark.parametrize(
    ("last", "version"),
    [
        ("0.1.0", "0.0.1"),
        ("0.10.0", "0.9.0"),
        ("1.0.0", "1.0.0-rc.1"),
        ("1.0.0-rc.10", "1.0.0-rc.9"),
        ("1.0.0-rc2", "1.0.0-rc1"),
        ("1.0.0-rc.1", "1.0.0-beta.2"),
    ],
)
def test_lower_versions_are_refused(repository: Shell, last: str, version: str) -> None:
    """Versions only rise, in the order of Semantic Versioning."""
    repository.succeed("bin/release", last)
    assert f"is lower than the last version, {last}" in refusal(repository, version)


def test_versions_are_higher_than_those_of_other_branches(repository: Shell) -> None:
    """A tag of another branch counts, too, as all branches share the registry and Sentry."""
    repository.succeed("git", "tag", "v2.0.0")
    assert "is lower than the last version, 2.0.0" in refusal(repository, "1.0.0")


def test_taken_tags_are_refused(repository: Shell) -> None:
    """A version is released once."""
    repository.succeed("bin/release", "1.0.0")
    assert refusal(repository, "1.0.0") == "the tag v1.0.0 exists already."


@pytest.mark.parametrize("name", ["README.md", "new"])
def test_dirty_work_trees_are_refused(repository: Shell, name: str) -> None:
    """A changed or new file that is not committed would be missing from the release."""
    (repository.folder / name).write_text("change")
    assert "not committed" in refusal(repository, "1.0.0")


def test_missing_section_of_the_changelog_is_refused(repository: Shell) -> None:
    """The changelog needs a section that the release can close."""
    (repository.folder / "CHANGELOG.md").write_text("# Changelog\n")
    repository.commit()
    assert "CHANGELOG.md has no line" in refusal(repository, "1.0.0")


def test_folder_without_git_is_refused(default_project: Path) -> None:
    """Without a git repository, the message says so."""
    result = Shell(default_project).run("bin/release", "1.0.0")
    assert (result.returncode, "is not a git repository" in result.stderr) == (1, True)


def test_failing_commit_changes_nothing(repository: Shell) -> None:
    """Where a hook refuses the commit, both files are as they were."""
    hook = repository.folder / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    before = state(repository)
    assert repository.run("bin/release", "1.0.0").returncode
    assert state(repository) == before


@pytest.mark.parametrize("version", ["0.1.0", "0.1.1-rc.1", "1.0.0"])
def test_release_is_committed_and_tagged(repository: Shell, version: str) -> None:
    """The tag points to a commit whose pyproject.toml has the version, in a clean work tree."""
    repository.succeed("bin/release", version)
    pyproject = repository.succeed("git", "show", f"v{version}:pyproject.toml")
    assert f'\nversion = "{version}"\n' in pyproject
    assert repository.succeed("git", "status", "--porcelain") == ""


def test_release_closes_the_section_of_the_changelog(repository: Shell) -> None:
    """What was under Unreleased is under the version and its date."""
    repository.succeed("bin/release", "1.0.0")
    changelog = (repository.folder / "CHANGELOG.md").read_text()
    assert re.search(r"\n## \[Unreleased\]\n\n## \[1\.0\.0\] - \d{4}-\d\d-\d\d\n\n### ", changelog)


def test_release_prints_the_command_that_pushes_it(repository: Shell) -> None:
    """`make release` pushes nothing, and says how to."""
    printed = repository.succeed("make", "release", "VERSION=1.0.0")
    assert printed.endswith("git push origin HEAD v1.0.0")


def test_only_what_is_tagged_is_published(repository: Shell) -> None:
    """An image never contains what its tag does not."""
    repository.succeed("bin/release", "1.0.0")
    (repository.folder / "README.md").write_text("change")
    result = repository.run("bin/publish", CI="")
    assert (result.returncode, "the work tree is not v1.0.0" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("script", "setting"),
    [
        ("publish", "DOCKER_TOKEN"),
        ("sentry release", "SENTRY_AUTH_TOKEN"),
        ("sentry deploy", "SENTRY_AUTH_TOKEN"),
        ("ship", "HOSTS"),
        ("alerts", "SENTRY_ALERTS_TOKEN"),
    ],
)
def test_steps_without_credentials_are_skipped(
    repository: Shell, script: str, setting: str
) -> None:
    """In CI, a step that lacks its setting names it and succeeds, even where it is set to ''."""
    printed = repository.succeed("sh", "-c", f"bin/{script}", **{setting: "", "CI": "true"})
    assert printed.endswith(f": {setting} is not set.")


def test_ship_needs_a_release(repository: Shell) -> None:
    """A version without a tag is refused before any host is touched."""
    result = repository.run(
        "bin/ship", "9.9.9", HOSTS="192.0.2.1", PUBLIC_URL="http://site.example", CI=""
    )
    assert (result.returncode, "there is no release 9.9.9" in result.stderr) == (1, True)


def test_workflow_uses_two_actions() -> None:
    """All other tools come from PyPI, where they are pinned with hashes."""
    used = {step["uses"].split("@")[0] for step in STEPS if "uses" in step}
    assert used == {"actions/checkout", "actions/setup-python"}


def test_workflow_runs_recipes_alone() -> None:
    """What the workflow does, a person can do on a laptop."""
    recipes = re.findall(r"^([a-z-]+):", (BODY / "Makefile").read_text(), re.M)
    commands = [step["run"].split() for step in STEPS if "run" in step]
    assert all(make == "make" and set(run) <= set(recipes) for make, *run in commands)


def test_workflow_may_only_read() -> None:
    """The workflow's own token can do nothing but read the repository."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not [name for name, job in WORKFLOW["jobs"].items() if "permissions" in job]


def test_secrets_reach_single_steps() -> None:
    """No secret is in the environment of the workflow or of a whole job."""
    steps = sum(str(step.get("env")).count("secrets.") for step in STEPS)
    assert steps == str(WORKFLOW).count("secrets.")


def test_deploy_is_protected_and_not_cancelled() -> None:
    """A deploy belongs to an environment, which can ask for approval, and runs to its end."""
    assert WORKFLOW["jobs"]["deploy"]["environment"] == "production"
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_explain_themselves(script: Path) -> None:
    """Each script can be run, and its first comment says what it does."""
    lines = script.read_text().splitlines()
    assert (script.stat().st_mode & 0o111, lines[0], lines[1][:2]) == (0o111, "#!/bin/sh", "# ")


def test_azure_inventory_lists_the_tagged_machines(default_project: Path, tmp_path: Path) -> None:
    """The inventory asks for VMs with the project's tag, and lists their first addresses."""
    (tmp_path / "az").write_text(
        '#!/bin/sh\necho "$@" >&2\nprintf "20.0.0.4,20.0.0.5\\n20.0.0.6\\n"\n'
    )
    (tmp_path / "az").chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    result = Shell(default_project).run("deploy/inventory/azure.sh", "--list", PATH=path)
    assert json.loads(result.stdout)["all"]["hosts"] == ["20.0.0.4", "20.0.0.6"]
    assert "[?tags.app=='microblog']" in result.stderr
