"""The recipes that talk to Sentry's API, run against a strict fake of it."""

import copy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Installed
from tests.support import sentry_api
from tests.support.commands import IDENTITY, Shell
from tests.support.sentry_api import ALERTS_TOKEN, ORGANIZATION, READER_TOKEN, Sentry, Server
from tests.support.servers import wait_for

pytestmark = pytest.mark.slow

RELEASE = "microblog@1.0.0"
BEFORE = "microblog@0.9.0"
CHANNEL = "123456789012345678"
SITE = "https://www.example.com"
SHIPPED = f"Deployed: {RELEASE} production {SITE} {BEFORE} changed\n"
Result = subprocess.CompletedProcess[str]
Created = tuple[Result, Sentry]


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a fake Sentry that has heard of nothing yet."""
    with Server("127.0.0.1", 0) as server:
        yield server


@pytest.fixture
def sentry(server: Server) -> Sentry:
    """Return what the fake recorded."""
    return server.sentry


@pytest.fixture
def repository(
    default_project: Path, installed: Installed, server: Server, tmp_path: Path
) -> Shell:
    """Return a repository at its release 1.0.0, with the tools and the settings of its Sentry."""
    repository = Shell(shutil.copytree(default_project, tmp_path / "microblog"))
    (repository.folder / ".venv").mkdir()
    (repository.folder / ".venv/tools").symlink_to(installed("deploy"))
    repository.variables |= {**IDENTITY, "SENTRY_ORG": "", "SENTRY_URL": ""}
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


def tell_of_deploy(repository: Shell, shipped: str = SHIPPED) -> str:
    """Tell Sentry of what a `make ship` printed, and return what that prints."""
    (repository.folder / ".deployed").write_text(shipped)
    return repository.succeed("bin/sentry", "deploy")


def test_deploy_finalizes_the_release_once(repository: Shell, sentry: Sentry) -> None:
    """The first deploy gives a release its date, and a second one does not change it."""
    repository.succeed("bin/sentry", "release")
    for _ in range(2):
        tell_of_deploy(repository)
    assert [deploy["release"] for deploy in sentry.deploys] == [RELEASE, RELEASE]
    assert sentry.releases[RELEASE]["finalized"] == 1


@pytest.mark.parametrize("change", ["changed", "unchanged"])
def test_deploy_is_recorded_once(repository: Shell, sentry: Sentry, change: str) -> None:
    """A deploy of which Sentry does not know yet is told once, with its environment and URL.

    It may be a `make ship` that has changed nothing.
    """
    repository.succeed("bin/sentry", "release")
    tell_of_deploy(repository, SHIPPED.replace("changed", change))
    assert "changed nothing" in repository.succeed("bin/sentry", "deploy")
    [deploy] = sentry.deploys
    seen = (deploy["release"], deploy["environment"], deploy["url"])
    assert seen == (RELEASE, "production", SITE)


def test_failed_deploy_is_not_told(repository: Shell, sentry: Sentry) -> None:
    """Sentry is not told of a deploy that never said what serves."""
    assert "changed nothing" in tell_of_deploy(repository, "The migrations failed.\n")


def alerts(project: Path, server: Server, **settings: str) -> Result:
    """Run what `make alerts` runs, for an environment that Sentry knows."""
    server.sentry.events.append({"environment": "production"})
    known = {"SENTRY_ALERTS_TOKEN": ALERTS_TOKEN, "SENTRY_ORG": ORGANIZATION}
    # A workflow sets what it has no value for to nothing.
    unset = {"SENTRY_PROJECT": "", "SENTRY_ENVIRONMENT": "", "DISCORD_CHANNEL": ""}
    command = (sys.executable, "deploy/alerts.py")
    return Shell(project).run(*command, **{**known, **unset, "SENTRY_URL": server.url, **settings})


@pytest.fixture(scope="module")
def created(default_project: Path) -> Created:
    """Return what a first run reports, and what Sentry has after it."""
    with Server("127.0.0.1", 0) as server:
        return alerts(default_project, server), server.sentry


@pytest.fixture
def watched(server: Server, created: Created) -> Server:
    """Return a fake Sentry that has the alerts already, and has had no request since."""
    server.sentry = copy.deepcopy(created[1])
    server.sentry.requests.clear()
    return server


def changes(server: Server) -> list[str]:
    """Return the methods of the requests that change something."""
    return [method for method, *_ in server.sentry.requests if method != "GET"]


def test_alerts_are_created(created: Created) -> None:
    """The first run creates three alerts and a monitor, and says so."""
    result, sentry = created
    assert result.returncode == 0, result.stderr
    names = [each["name"] for each in [*sentry.workflows, sentry.detectors[-1]]]
    assert [name for name in names if f"{name} was created." in result.stdout] == names
    assert len(names) == 4


def test_second_run_creates_nothing(default_project: Path, watched: Server) -> None:
    """A second run updates what the first one created, and leaves it as it was."""
    before = copy.deepcopy(watched.sentry.detectors)
    result = alerts(default_project, watched)
    assert (result.returncode, changes(watched)) == (0, ["PUT"] * 4)
    assert len(watched.sentry.detectors) == len(before)


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


def test_change_in_sentry_is_undone(default_project: Path, watched: Server) -> None:
    """An alert that somebody changed becomes again what the project describes."""
    watched.sentry.workflows[0]["enabled"] = False
    assert alerts(default_project, watched).returncode == 0
    assert watched.sentry.workflows[0]["enabled"]


def test_alerts_go_to_discord(default_project: Path, watched: Server) -> None:
    """With the id of a channel, Discord replaces e-mail in all alerts."""
    result = alerts(default_project, watched, DISCORD_CHANNEL=CHANNEL)
    assert changes(watched) == ["PUT"] * 4, result.stdout + result.stderr
    filters = [workflow["actionFilters"][0] for workflow in watched.sentry.workflows]
    assert {group["actions"][0]["config"]["targetIdentifier"] for group in filters} == {CHANNEL}


def uptime(server: Server) -> list[sentry_api.Json]:
    """Return the name and the URL of each uptime monitor."""
    found = [each for each in server.sentry.detectors if each["type"] == sentry_api.UPTIME]
    return [(each["name"], each["dataSources"][0]["queryObj"]["url"]) for each in found]


def test_uptime_is_watched_once(default_project: Path, watched: Server) -> None:
    """With PUBLIC_URL there is a monitor of /readyz, also after a second run."""
    for _ in range(2):
        result = alerts(default_project, watched, PUBLIC_URL=SITE)
        assert result.returncode == 0, result.stderr
    assert uptime(watched) == [(f"microblog: {SITE}/readyz responds", f"{SITE}/readyz")]


def test_monitor_that_exists_is_adopted(default_project: Path, watched: Server) -> None:
    """A monitor of the same URL is changed, whatever its name is."""
    assert alerts(default_project, watched, PUBLIC_URL=SITE).returncode == 0
    watched.sentry.detectors[-1]["name"] = "Uptime Monitoring for the site"
    assert alerts(default_project, watched, PUBLIC_URL=SITE).returncode == 0
    assert [name for name, _ in uptime(watched)] == [f"microblog: {SITE}/readyz responds"]


def test_plan_without_uptime_is_no_failure(default_project: Path, watched: Server) -> None:
    """Where the plan has no uptime monitors, a line says so, and the alerts are there."""
    watched.sentry.has_uptime = False
    result = alerts(default_project, watched, PUBLIC_URL=SITE)
    assert (result.returncode, uptime(watched)) == (0, [])
    assert "Your plan has no such monitor. Sentry responded 404" in result.stdout


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"SENTRY_ORG": ""}, "SENTRY_ORG is not set"),
        ({"SENTRY_ALERTS_TOKEN": READER_TOKEN}, "needs the scopes alerts:write and org:read."),
        ({"SENTRY_ALERTS_TOKEN": "wrong"}, "needs the scopes alerts:write and org:read."),
        ({"SENTRY_ENVIRONMENT": "nowhere"}, "Environment does not exist"),
        ({"SENTRY_PROJECT": "nowhere"}, "Unknown project"),
        ({"SENTRY_URL": "http://127.0.0.1:1"}, "Sentry did not respond as expected at http"),
        ({"SENTRY_URL": "sentry.example.com"}, "Sentry did not respond as expected at sentry"),
    ],
)
def test_errors_are_one_line(
    default_project: Path, server: Server, settings: dict[str, str], complaint: str
) -> None:
    """What is wrong is said in one line, which does not contain the token."""
    result = alerts(default_project, server, **settings)
    [line] = result.stderr.splitlines()
    assert (result.returncode, complaint in line, ALERTS_TOKEN in line) == (1, True, False)


def test_alerts_without_a_token_are_skipped(default_project: Path, server: Server) -> None:
    """Without a token, nothing is asked, and the setting is named."""
    result = alerts(default_project, server, SENTRY_ALERTS_TOKEN="")
    expected = "No alert was changed: SENTRY_ALERTS_TOKEN is not set.\n"
    assert (result.returncode, result.stdout, server.sentry.requests) == (0, expected, [])


def test_playbooks_pass_the_linter(default_project: Path, tmp_path: Path) -> None:
    """ansible-lint finds nothing, with the strictest profile."""
    shutil.copytree(default_project / "deploy", tmp_path / "deploy")
    linter = Path(sys.executable).with_name("ansible-lint")
    path = f"{linter.parent}:/usr/local/bin:/usr/bin:/bin"
    lint = (linter, "--offline", "--profile", "production", "deploy/")
    result = Shell(tmp_path).run(*lint, PATH=path)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.fixture
def shipped(default_project: Path, tmp_path: Path) -> Shell:
    """Return a project whose release was just shipped, and whose bin/ship says how it is called."""
    project = Shell(shutil.copytree(default_project, tmp_path / "microblog"))
    (project.folder / ".deployed").write_text(SHIPPED)
    (project.folder / "bin/ship").write_text('echo "bin/ship $*"; exit 1')
    return project


def watch(
    project: Shell, server: Server, crashed: int, before: int, visits: int = 200, **settings: str
) -> Result:
    """Watch a release for a second, as `make watch` does, with the token of the workflow.

    Meanwhile, people visit it and the release before.
    """
    token = {"SENTRY_AUTH_TOKEN": sentry_api.organization_token(server.url)}
    unset = {"SENTRY_PROJECT": "", "SENTRY_ORG": "", "SENTRY_URL": "", "WATCH": "0.02"}
    environment = {**token, **unset, **settings}
    with ThreadPoolExecutor() as pool:
        watching = pool.submit(project.run, sys.executable, "deploy/watch.py", **environment)
        wait_for(lambda: server.sentry.requests or watching.done(), "the first question")
        visited(server, crashed, before, visits)
        return watching.result()


def visited(server: Server, crashed: int, before: int, visits: int = 200) -> None:
    """Let Sentry know two releases, from the sessions that their visitors made."""
    for release, crashes in ((RELEASE, crashed), (BEFORE, before)):
        server.sentry.releases[release] = {"version": release, "commits": [], "dateReleased": None}
        bucket = {"exited": visits - crashes, "crashed": crashes}
        item = {"attrs": {"release": release}, "aggregates": [bucket] if visits else []}
        server.sentry.ingest("sessions", item)


def test_watch_takes_a_crashing_release_back(shipped: Shell, server: Server) -> None:
    """A release that crashes on a tenth of its pages is taken back, and the watch fails."""
    result = watch(shipped, server, crashed=20, before=0)
    assert (result.returncode, "bin/ship --back 1.0.0\n" in result.stdout) == (1, True)
    assert "200 requests, 20 crashed, 90.0 % crash-free, 0 new issues" in result.stdout


def test_dry_watch_changes_nothing(shipped: Shell, server: Server) -> None:
    """With DRY=1, the watch fails and takes nothing back."""
    result = watch(shipped, server, crashed=20, before=0, DRY="1")
    assert (result.returncode, "bin/ship" in result.stdout) == (1, False), result.stdout


@pytest.mark.parametrize(
    ("crashed", "before", "visits"),
    [(0, 0, 200), (9, 0, 20), (10, 0, 5000), (20, 30, 200), (0, 0, 0)],
    ids=["healthy", "few crashes", "few of many", "better than before", "no visits"],
)
def test_watch_keeps_a_release(
    shipped: Shell, server: Server, crashed: int, before: int, visits: int
) -> None:
    """A release stays that crashes rarely, or no more often than the one before."""
    result = watch(shipped, server, crashed, before, visits)
    assert (result.returncode, f"{RELEASE} stays." in result.stdout) == (0, True), result.stderr


def test_watch_forgives_what_was_mended(shipped: Shell, server: Server) -> None:
    """A release that crashed before it was deployed once more stays if it does not crash again."""
    visited(server, crashed=100, before=0)
    result = watch(shipped, server, crashed=0, before=0)
    assert "100 crashed" in result.stdout
    assert (result.returncode, f"{RELEASE} stays." in result.stdout) == (0, True), result.stderr


@pytest.mark.parametrize(
    "settings",
    [
        {"SENTRY_AUTH_TOKEN": ALERTS_TOKEN, "SENTRY_ORG": ORGANIZATION},
        {"SENTRY_URL": "http://127.0.0.1:1"},
        {"SENTRY_PROJECT": "nowhere"},
    ],
    ids=["token without the scope", "Sentry away", "unknown project"],
)
def test_watch_that_knows_nothing_keeps_the_release(
    shipped: Shell, server: Server, settings: dict[str, str]
) -> None:
    """Where Sentry does not tell the health of a release, the watch says so, and it stays."""
    elsewhere = {"SENTRY_URL": server.url, **settings}
    result = watch(shipped, server, crashed=200, before=0, visits=200, **elsewhere)
    assert (result.returncode, f"is known of {RELEASE}" in result.stdout) == (0, True)


@pytest.mark.parametrize(
    ("deployed", "settings"),
    [("unchanged", {}), ("changed", {"WATCH": "0"}), ("changed", {"SENTRY_AUTH_TOKEN": ""})],
    ids=["nothing changed", "switched off", "no token"],
)
def test_watch_is_skipped(
    shipped: Shell, server: Server, deployed: str, settings: dict[str, str]
) -> None:
    """Without a change, a token or time, the watch ends at once and asks nobody."""
    (shipped.folder / ".deployed").write_text(SHIPPED.replace("changed", deployed))
    result = watch(shipped, server, crashed=0, before=0, visits=0, **settings)
    assert (result.returncode, server.sentry.requests) == (0, [])
    assert "Nothing was watched" in result.stdout
