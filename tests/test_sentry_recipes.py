"""The recipes that talk to Sentry's API, run against a strict fake of it."""

import copy
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import sentry_api
from tests.support.commands import Shell
from tests.support.sentry_api import ALERTS_TOKEN, ORGANIZATION, READER_TOKEN, Sentry, Server
from tests.support.servers import install
from tests.support.template import BODY

pytestmark = pytest.mark.slow

RELEASE = "microblog@1.0.0"
SHIPPED = f"{RELEASE} production https://blog.example.com\n"
CHANNEL = "123456789012345678"
Result = subprocess.CompletedProcess[str]
Created = tuple[Result, Sentry]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an environment with the locked tools of a deployment."""
    tools = tmp_path_factory.mktemp("tools") / "tools"
    install(BODY / "requirements/deploy.txt", tools)
    return tools


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a fake Sentry that has heard of nothing yet."""
    with Server("127.0.0.1", 0) as server:
        yield server


@pytest.fixture
def sentry(server: Server) -> Sentry:
    """Return what the fake recorded."""
    return server.sentry


def prepare(project: Path, tools: Path, folder: Path) -> Shell:
    """Return a copy of a project with the tools, as it is in a fresh clone."""
    shutil.copytree(project, folder / "microblog")
    repository = Shell(folder / "microblog")
    (repository.folder / ".venv").mkdir()
    (repository.folder / ".venv/tools").symlink_to(tools)
    repository.variables |= {
        "SENTRY_ALERTS_TOKEN": ALERTS_TOKEN,
        "SENTRY_ORG": "",
        "SENTRY_URL": "",
    }
    return repository


@pytest.fixture
def repository(default_project: Path, tools: Path, server: Server, tmp_path: Path) -> Shell:
    """Return a repository at its release 1.0.0, and the settings of its Sentry."""
    repository = prepare(default_project, tools, tmp_path)
    for role in ("AUTHOR", "COMMITTER"):
        repository.variables |= {
            f"GIT_{role}_NAME": "Test",
            f"GIT_{role}_EMAIL": "test@example.com",
        }
    repository.commit()
    repository.succeed("bin/release", "1.0.0")
    repository.variables["SENTRY_AUTH_TOKEN"] = sentry_api.organization_token(server.url)
    return repository


def log(repository: Shell) -> list[str]:
    """Return the commits of a repository, newest first."""
    return repository.succeed("git", "log", "--format=%H").split()


def test_release_has_its_commits(repository: Shell, sentry: Sentry) -> None:
    """A first release has the newest commits of the clone, and the message says whence."""
    printed = repository.run("bin/sentry", "release")
    assert printed.returncode == 0, printed.stderr
    assert sentry.releases[RELEASE]["commits"] == log(repository)
    assert "from local git tree" in printed.stdout + printed.stderr


def test_next_release_has_the_commits_since_the_last(repository: Shell, sentry: Sentry) -> None:
    """A later release has only what is new in it."""
    repository.succeed("bin/sentry", "release")
    old = log(repository)
    (repository.folder / "new").touch()
    repository.commit()
    repository.succeed("bin/release", "1.1.0")
    repository.succeed("bin/sentry", "release")
    new = [commit for commit in log(repository) if commit not in old]
    assert sentry.releases["microblog@1.1.0"]["commits"] == new


def test_linked_repository_gets_a_reference(repository: Shell, sentry: Sentry) -> None:
    """Where Sentry knows the repository, it gets the commit alone, and no e-mail address."""
    remote = "https://github.com/acme/microblog"
    repository.succeed("git", "remote", "add", "origin", remote)
    name = {"name": "acme/microblog", "url": remote, "externalSlug": "acme/microblog"}
    provider = {"provider": {"id": "integrations:github", "name": "GitHub"}, "status": "active"}
    dates = {"dateCreated": sentry_api.NOW, "integrationId": "1", "externalId": "1", "id": "1"}
    sentry.repositories.append({**name, **provider, **dates})
    repository.succeed("bin/sentry", "release")
    assert sentry.releases[RELEASE]["commits"] == log(repository)[:1]
    assert "author_email" not in str(sentry.requests)


def test_refused_commits_leave_the_release(repository: Shell, sentry: Sentry) -> None:
    """Where Sentry refuses an author's address, the release exists, and the recipe fails."""
    commit = ("git", "commit", "--quiet", "--allow-empty", "--author", "X <no-address>")
    repository.succeed(*commit, "--message", "Change")
    repository.succeed("bin/release", "1.1.0")
    result = repository.run("bin/sentry", "release")
    assert (result.returncode, "microblog@1.1.0" in sentry.releases) == (1, True)
    assert "did not accept its commits" in result.stderr


def test_other_commit_than_the_tag_is_refused(repository: Shell, sentry: Sentry) -> None:
    """A release in Sentry never has commits that its tag does not."""
    (repository.folder / "new").touch()
    repository.commit()
    assert repository.run("bin/sentry", "release").returncode == 1
    assert not sentry.releases


def test_token_without_its_organization_needs_the_setting(repository: Shell) -> None:
    """A token that does not name its organization is not sent to a wrong URL."""
    result = repository.run("bin/sentry", "release", SENTRY_AUTH_TOKEN=ALERTS_TOKEN)
    assert (result.returncode, "SENTRY_ORG is not set" in result.stderr) == (1, True)


def test_deploy_finalizes_the_release_once(repository: Shell, sentry: Sentry) -> None:
    """The first deploy gives a release its date, and a second one does not change it."""
    repository.succeed("bin/sentry", "release")
    for _ in range(2):
        (repository.folder / ".deployed").write_text(SHIPPED)
        repository.succeed("bin/sentry", "deploy")
    assert [deploy["release"] for deploy in sentry.deploys] == [RELEASE, RELEASE]
    assert sentry.releases[RELEASE]["finalized"] == 1


def test_deploy_has_its_environment_and_url(repository: Shell, sentry: Sentry) -> None:
    """A deploy is recorded for the environment and URL that `make ship` used."""
    repository.succeed("bin/sentry", "release")
    (repository.folder / ".deployed").write_text(SHIPPED)
    repository.succeed("bin/sentry", "deploy")
    [deploy] = sentry.deploys
    assert (deploy["environment"], deploy["url"]) == ("production", "https://blog.example.com")


def test_deploy_is_recorded_once(repository: Shell, sentry: Sentry) -> None:
    """Without a new deploy, there is nothing to tell."""
    repository.succeed("bin/sentry", "release")
    (repository.folder / ".deployed").write_text(SHIPPED)
    repository.succeed("bin/sentry", "deploy")
    assert "changed nothing" in repository.succeed("bin/sentry", "deploy")
    assert len(sentry.deploys) == 1


def alerts(repository: Shell, server: Server, **settings: str) -> Result:
    """Run `bin/alerts` for an environment that Sentry knows."""
    server.sentry.events.append({"environment": "production"})
    known = {"SENTRY_ORG": ORGANIZATION, "SENTRY_URL": server.url}
    return repository.run("bin/alerts", **{**known, **settings})


@pytest.fixture(scope="module")
def created(
    default_project: Path, tools: Path, tmp_path_factory: pytest.TempPathFactory
) -> Created:
    """Return what a first run reports, and what Sentry has after it."""
    repository = prepare(default_project, tools, tmp_path_factory.mktemp("created"))
    with Server("127.0.0.1", 0) as server:
        return alerts(repository, server), server.sentry


@pytest.fixture
def watched(server: Server, created: Created) -> Server:
    """Return a fake Sentry that has the alerts already."""
    server.sentry = copy.deepcopy(created[1])
    return server


def changes(result: Result) -> int:
    """Return the number of changes that Ansible reports."""
    assert result.returncode == 0, result.stdout + result.stderr
    [changed] = re.findall(r"changed=(\d+)", result.stdout)
    return int(changed)


def test_alerts_are_created(created: Created) -> None:
    """The first run creates three alerts and a monitor."""
    assert changes(created[0]) == 4


def test_second_run_changes_nothing(repository: Shell, watched: Server) -> None:
    """A second run finds everything as it should be, and only reads."""
    watched.sentry.requests.clear()
    assert changes(alerts(repository, watched)) == 0
    assert {method for method, *_ in watched.sentry.requests} == {"GET"}


def test_alerts_say_what_they_watch(created: Created) -> None:
    """There are alerts on new issues, regressions, and a jump of errors in the latest release."""
    kinds = [
        [condition["type"] for condition in group["conditions"]]
        for workflow in created[1].workflows
        for group in (workflow["triggers"], *workflow["actionFilters"])
    ]
    jump = ["latest_release", "event_frequency_count"]
    regression = ["regression_event", "reappeared_event"]
    assert kinds == [["first_seen_event"], [], regression, [], [], jump]


def test_monitor_of_sessions_is_connected(created: Created) -> None:
    """What the monitor of crash-free sessions finds reaches the same people."""
    monitor = created[1].detectors[-1]
    new, regression, _ = (workflow["id"] for workflow in created[1].workflows)
    assert (monitor["type"], monitor["workflowIds"]) == ("metric_issue", [new, regression])


def test_check_lists_the_differences(repository: Shell, watched: Server) -> None:
    """With CHECK=1, what somebody changed in Sentry is listed, and left as it is."""
    threshold = watched.sentry.workflows[2]["actionFilters"][0]["conditions"][1]["comparison"]
    threshold["value"] = 7
    result = alerts(repository, watched, CHECK="1")
    assert (changes(result), threshold["value"]) == (1, 7)
    assert "comparison.value is 7, not 50" in " ".join(result.stdout.split())


def test_change_in_sentry_is_undone(repository: Shell, watched: Server) -> None:
    """Without CHECK=1, the alert becomes again what the project describes."""
    watched.sentry.workflows[0]["enabled"] = False
    assert changes(alerts(repository, watched)) == 1
    assert watched.sentry.workflows[0]["enabled"] is True


def test_alerts_go_to_discord(repository: Shell, watched: Server) -> None:
    """With the id of a channel, Discord replaces e-mail in all alerts."""
    assert changes(alerts(repository, watched, DISCORD_CHANNEL=CHANNEL)) == 3
    filters = [workflow["actionFilters"][0] for workflow in watched.sentry.workflows]
    assert {group["actions"][0]["config"]["targetIdentifier"] for group in filters} == {CHANNEL}


@pytest.mark.parametrize("token", [READER_TOKEN, "wrong"])
def test_poor_token_is_told_its_scopes(repository: Shell, server: Server, token: str) -> None:
    """A token that may not write alerts fails with a line that names the scopes."""
    result = alerts(repository, server, SENTRY_ALERTS_TOKEN=token)
    assert result.returncode
    [error] = [line for line in result.stdout.splitlines() if line.startswith("[ERROR]")]
    assert error.endswith("SENTRY_ALERTS_TOKEN needs the scopes alerts:write and org:read.")


def test_unknown_environment_is_told(repository: Shell, server: Server) -> None:
    """An alert for an environment without a deploy fails with Sentry's own message."""
    result = alerts(repository, server, SENTRY_ENVIRONMENT="nowhere")
    assert result.returncode
    assert "Environment does not exist" in result.stdout


def test_tokens_are_not_printed(repository: Shell, server: Server) -> None:
    """Ansible prints no token, even when it prints the most."""
    result = alerts(repository, server, ANSIBLE_VERBOSITY="3")
    assert ALERTS_TOKEN not in result.stdout + result.stderr


def test_playbooks_pass_the_linter(default_project: Path, tmp_path: Path) -> None:
    """ansible-lint finds nothing, with the strictest profile."""
    shutil.copytree(default_project / "deploy", tmp_path / "deploy")
    linter = Path(sys.executable).with_name("ansible-lint")
    path = f"{linter.parent}:/usr/local/bin:/usr/bin:/bin"
    lint = (linter, "--offline", "--profile", "production", "deploy/")
    result = Shell(tmp_path).run(*lint, PATH=path)
    assert result.returncode == 0, result.stdout + result.stderr
