"""The first step of a release, `make release`, and what every later step does without settings."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from pytest_cookies.plugin import Cookies

from tests.support.commands import IDENTITY, Shell
from tests.support.owners import edit
from tests.support.template import BODY

WORKFLOW: dict[str, Any] = yaml.safe_load((BODY / ".github/workflows/release.yml").read_text())
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
TARGET = {"HOSTS": "192.0.2.1", "PUBLIC_URL": "http://site.example", "CI": ""}


@pytest.fixture(scope="module")
def pristine(default_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """Return the default project, version 0.1.0, in a git repository that no test changes."""
    folder = shutil.copytree(default_project, tmp_path_factory.mktemp("release") / "microblog")
    pristine = Shell(folder)
    pristine.variables |= IDENTITY
    pristine.commit()
    return pristine


@pytest.fixture
def repository(pristine: Shell, tmp_path: Path) -> Shell:
    """Return a copy of that repository."""
    folder = shutil.copytree(pristine.folder, tmp_path / "microblog")
    return Shell(folder, dict(pristine.variables))


def state(repository: Shell) -> tuple[str, ...]:
    """Return what a refusal must not change."""
    arguments = ("show-ref", "status --porcelain", "diff HEAD")
    return tuple(repository.run("git", *line.split()).stdout for line in arguments)


def refusal(repository: Shell, version: str, **more: str) -> str:
    """Return the one line with which a release is refused, and see that nothing changed."""
    before = state(repository)
    result = repository.run("bin/release", version, **more)
    assert (result.returncode, result.stdout, state(repository)) == (1, "", before)
    prefix, reason = result.stderr.strip().split(": ", 1)
    assert prefix == "Nothing was released"
    return reason


@pytest.mark.parametrize(
    "version",
    ["", "banana", "1", "1.0", "v1.0.0", "01.0.0", "1.0.0-rc.01", "1.0.0+build", "1.0.0\n2"],
)
def test_malformed_versions_are_refused(pristine: Shell, version: str) -> None:
    """A version is MAJOR.MINOR.PATCH or a pre-release of it."""
    assert "is not a version" in refusal(pristine, version)


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


def test_columns_do_not_hide_tags(repository: Shell) -> None:
    """A version is released once, also where git is configured to print lists in columns."""
    for tag in ("v2.0.0", "v3.0.0"):
        repository.succeed("git", "tag", tag)
    repository.succeed("git", "config", "column.ui", "always")
    assert refusal(repository, "2.0.0") == "the tag v2.0.0 exists already."
    result = repository.run("bin/ship", **TARGET)
    assert "/ansible-playbook: " in result.stderr  # it gets as far as Ansible, which is missing


def test_other_tables_have_no_version(repository: Shell) -> None:
    """A name and a version of another table, before or after [project], are left alone."""
    other = '[[tool.uv.index]]\nname = "mirror"\n\n[tool.other]\nversion = "9.9.9"\n'
    pyproject = repository.folder / "pyproject.toml"
    project = pyproject.read_text()
    pyproject.write_text(f"{other}\n{project}\n{other.replace('tool.', 'tool.late-')}")
    repository.commit()
    repository.succeed("bin/release", "1.0.0")
    changed = project.replace('version = "0.1.0"', 'version = "1.0.0"')
    assert pyproject.read_text() == f"{other}\n{changed}\n{other.replace('tool.', 'tool.late-')}"


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
    """Without a git repository, the message is git's."""
    result = Shell(default_project).run("bin/release", "1.0.0")
    assert (result.returncode, "fatal: not a git repository" in result.stderr) == (1, True)


def test_repository_of_somebody_else_is_refused(repository: Shell, tmp_path: Path) -> None:
    """Where git does not trust the owner of the folder, the message is git's."""
    other = {"GIT_TEST_ASSUME_DIFFERENT_OWNER": "1", "HOME": str(tmp_path)}
    result = repository.run("bin/release", "1.0.0", **other, GIT_CONFIG_SYSTEM="/dev/null")
    assert (result.returncode, "dubious ownership" in result.stderr) == (1, True)


@pytest.mark.parametrize("command", ["release 1.0.0", "publish", "sentry release", "ship 0.1.0"])
def test_subfolder_of_a_repository_is_refused(
    default_project: Path, command: str, tmp_path: Path
) -> None:
    """The tags of a larger repository are those of another project, so no step uses them."""
    larger = Shell(tmp_path)
    larger.variables |= {**IDENTITY, "CI": "", "SENTRY_AUTH_TOKEN": "sntrys_planted", "HOSTS": "h"}
    larger.variables["PUBLIC_URL"] = "https://www.example.com"
    shutil.copytree(default_project, tmp_path / "projects/blog")
    larger.commit()
    larger.succeed("git", "tag", "v0.1.0")
    result = larger.run("sh", "-c", f"projects/blog/bin/{command}")
    assert "this folder is not the root of its git repository" in result.stderr
    assert result.returncode == 1


def test_failing_commit_changes_nothing(repository: Shell) -> None:
    """Where a hook refuses the commit, both files are as they were."""
    hook = repository.folder / ".git/hooks/pre-commit"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    assert refusal(repository, "1.0.0") == "git did not accept the commit."


def test_failing_tag_changes_nothing(repository: Shell) -> None:
    """Where git cannot sign the tag, the commit of the release is undone."""
    repository.succeed("git", "config", "tag.gpgSign", "true")
    repository.succeed("git", "config", "gpg.program", "false")
    before = state(repository)
    result = repository.run("bin/release", "1.0.0")
    assert result.stderr.endswith("Nothing was released: git did not accept the tag.\n")
    assert (result.returncode, state(repository)) == (1, before)


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


def publishable(repository: Shell, tmp_path: Path, docker: str) -> dict[str, str]:
    """Give the image an organization, and return variables with which a script runs as Docker."""
    edit(repository.folder / "compose.yaml", '"microblog:', '"org/microblog:')
    repository.commit()
    (tmp_path / "docker").write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/calls\n{docker}')
    (tmp_path / "docker").chmod(0o755)
    return {"PATH": f"{tmp_path}:/usr/bin:/bin", "CI": ""}


def test_interrupted_publishing_logs_out(repository: Shell, tmp_path: Path) -> None:
    """After Ctrl+C, the token is no longer in Docker's configuration."""
    login = {"DOCKER_USERNAME": "susan", "DOCKER_TOKEN": "planted"}
    interrupt = "case $* in *bake*) kill -INT $PPID ;; esac\n"
    variables = publishable(repository, tmp_path, interrupt)
    repository.succeed("bin/release", "1.0.0")
    repository.run("bin/publish", **variables, **login)
    assert (tmp_path / "calls").read_text().endswith("logout docker.io\n")


def test_token_needs_a_username(repository: Shell) -> None:
    """A token without a username is refused before anything is built."""
    refused = repository.run("bin/publish", CI="", **{"DOCKER_TOKEN": "planted"})
    expected = "Nothing was published: DOCKER_USERNAME is not set (DOCKER_TOKEN is).\n"
    assert refused.stderr == expected


@pytest.mark.parametrize(
    ("version", "tags"),
    [
        ("1.2.0", ["1.2.0"]),
        ("1.2.1", ["1.2.1", "1.2"]),
        ("1.3.0", ["1.3.0", "1.3", "latest"]),
        ("1.4.0-rc.1", ["1.4.0-rc.1"]),
    ],
)
def test_older_release_takes_no_tag_back(
    repository: Shell, tmp_path: Path, version: str, tags: list[str]
) -> None:
    """X.Y and latest stay with the newest release, whichever is published once more."""
    variables = publishable(repository, tmp_path, "")
    for other in ("1.2.0", "1.2.1", "1.3.0", "1.4.0-rc.1"):
        repository.succeed("bin/release", other)
    repository.succeed("git", "checkout", "--quiet", f"v{version}")
    repository.succeed("bin/publish", **variables)
    calls = (tmp_path / "calls").read_text()
    assert re.findall(r"web\.tags=org/microblog:(\S+)", calls) == tags


@pytest.mark.parametrize(
    ("script", "setting"),
    [
        ("publish", "DOCKER_TOKEN"),
        ("sentry release", "SENTRY_AUTH_TOKEN"),
        ("sentry deploy", "SENTRY_AUTH_TOKEN"),
        ("ship", "HOSTS"),
    ],
)
def test_steps_without_credentials_are_skipped(pristine: Shell, script: str, setting: str) -> None:
    """In CI, a step that lacks its setting names it and succeeds, even where it is set to ''."""
    printed = pristine.succeed("sh", "-c", f"bin/{script}", **{setting: "", "CI": "true"})
    assert printed.endswith(f": {setting} is not set.")


def test_ship_needs_a_release(pristine: Shell) -> None:
    """A version without a tag is refused before any host is touched."""
    result = pristine.run("bin/ship", "9.9.9", **TARGET)
    assert (result.returncode, "there is no release 9.9.9" in result.stderr) == (1, True)


@pytest.mark.parametrize("version", ['1.0.0{{lookup("pipe",' + "'id')}}", "1.0.0\n2", "", "latest"])
def test_ship_needs_a_version(repository: Shell, version: str) -> None:
    """What is not a version never reaches Ansible, which would evaluate it."""
    repository.run("git", "tag", f"v{version}")
    result = repository.run("bin/ship", f"v{version}", **TARGET)
    assert result.stderr.startswith(f"Nothing was deployed: '{version}' is not a version")
    assert result.returncode == 1


def test_ship_needs_a_url(pristine: Shell) -> None:
    """A PUBLIC_URL that Caddy cannot serve is refused before any host is touched."""
    url = "https://a.example{$SECRET_KEY}"
    result = pristine.run("bin/ship", "1.0.0", **TARGET | {"PUBLIC_URL": url})
    assert result.stderr.startswith(f"Nothing was deployed: PUBLIC_URL is not valid: '{url}'")
    assert result.returncode == 1


def test_workflow_uses_two_actions() -> None:
    """All other tools come from PyPI, where they are pinned with hashes."""
    used = {step["uses"].split("@")[0] for step in STEPS if "uses" in step}
    assert used == {"actions/checkout", "actions/setup-python"}


def test_workflow_runs_recipes_alone() -> None:
    """What the workflow does, a person can do on a laptop."""
    recipes = re.findall(r"^([a-z-]+):", (BODY / "Makefile").read_text(), re.M)
    runs = [step["run"] for step in STEPS if "run" in step and step.get("id") != "python"]
    commands = [run.split() for run in runs]
    assert all(make == "make" and set(run) <= set(recipes) for make, *run in commands)


def test_release_is_checked_with_the_python_of_its_image(cookies: Cookies, tmp_path: Path) -> None:
    """The workflow runs the tests with the version of Python that was chosen."""
    project = Shell(cookies.bake(extra_context={"python_version": "3.13"}).project_path)
    steps = WORKFLOW["jobs"]["check"]["steps"]
    [read] = [step["run"] for step in steps if step.get("id") == "python"]
    project.succeed("sh", "-c", read, GITHUB_OUTPUT=str(tmp_path / "output"))
    assert (tmp_path / "output").read_text() == "version=3.13\n"
    assert {"python-version": "${{ steps.python.outputs.version }}"} in [
        step.get("with") for step in steps
    ]


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
    deploy = WORKFLOW["jobs"]["deploy"]
    assert deploy["environment"] == "production"
    assert deploy["concurrency"]["cancel-in-progress"] is False


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
