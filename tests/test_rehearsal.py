"""Releases from a git tag to a watched server, rehearsed on this machine while people post.

They go well, hurt, collide, and are cut off. `make rehearse` prints each step and a table of all.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
import requests

from tests.support.commands import docker
from tests.support.hosts import Host, public_key
from tests.support.load import Load
from tests.support.rehearsal import PAUSE, SLUG, Rehearsal, Step, rehearsal
from tests.support.sentry_api import Json
from tests.support.servers import wait_for
from tests.support.visitors import crash

pytestmark = [pytest.mark.slow, pytest.mark.containers, pytest.mark.rehearsal]

FIRST, SECOND, SICK, CUT_OFF, CRASHING = (f"{SLUG}@1.{minor}.0" for minor in range(5))


@pytest.fixture(scope="module")
def play(engine: None) -> Iterator[Rehearsal]:
    """Return a rehearsal after all its steps, with its host still running."""
    with rehearsal() as play:
        play.step("1.0.0 reaches a bare host", "1.0.0", play.push)
        with Load(play.site, PAUSE) as load:
            play.add_migration()
            play.host.renew("redis:8-alpine")
            play.host.renew("postgres:18")
            play.step("1.1.0 brings a migration", "1.1.0", play.by_hand, load)
            play.fall_ill()
            play.step("1.2.0 is never healthy", "1.2.0", play.by_hand, load)
            play.recover()
            play.step("1.3.0 is cut off and told later", "1.3.0", play.cut_off, load)
            play.crash()
            play.watch("3")
            play.step("1.4.0 crashes and is taken back", "1.4.0", play.push, load)
            play.watch("0.1")
            play.step("1.1.0 from two laptops at once", "1.1.0", play.two_at_once, load)
            play.step("1.0.0 on demand", "1.0.0", play.dispatch, load)
            play.step("1.0.0 once more", "1.0.0", play.dispatch, load)
        play.posts = load.acknowledged()
        lost = play.lost(play.posts)
        print(f"\n{play.table(lost)}\n\n{len(play.posts)} posts acknowledged, {len(lost)} lost\n")
        yield play


@contextmanager
def unknown(play: Rehearsal) -> Iterator[Path]:
    """Let nothing know the host until the block ends."""
    known_hosts = play.project.folder / "deploy/known_hosts"
    known_hosts.write_text("")
    yield known_hosts
    known_hosts.write_text(play.host.known_hosts())


@pytest.fixture(scope="module")
def first(play: Rehearsal) -> Step:
    """Return the first deploy."""
    return play.steps["1.0.0 reaches a bare host"]


@pytest.fixture(scope="module")
def sick(play: Rehearsal) -> Step:
    """Return the deploy that was rolled back."""
    return play.steps["1.2.0 is never healthy"]


@pytest.fixture(scope="module")
def records(play: Rehearsal) -> Json:
    """Return what the fake Sentry recorded."""
    return play.host.records()


def test_tag_reaches_a_bare_host(first: Step) -> None:
    """The workflow checks, publishes and deploys a pushed tag to a host without Docker."""
    assert first.succeeded, first.log
    assert first.serves == FIRST


def test_published_digest_is_deployed(play: Rehearsal, first: Step) -> None:
    """The image that serves is byte for byte the one that was published."""
    assert first.digest == play.published("1.0.0")


@pytest.mark.parametrize("tag", ["1.0", "latest"])
def test_rolling_tags_name_the_newest_release(play: Rehearsal, tag: str) -> None:
    """X.Y and latest name the newest release of their line."""
    newest = {"1.0": "1.0.0", "latest": "1.4.0"}[tag]
    assert play.published(tag) == play.published(newest)


def test_image_is_labelled(play: Rehearsal) -> None:
    """The image's labels have the version and commit of its tag."""
    image = f"{play.host.registry}/acme/{SLUG}:1.0.0"
    label = '{{{{index .Config.Labels "org.opencontainers.image.{}"}}}}'.format
    inspect = ("image", "inspect", "--format")
    assert docker(*inspect, label("version"), image) == "1.0.0"
    commit = play.project.succeed("git", "rev-parse", "v1.0.0^{commit}")
    assert docker(*inspect, label("revision"), image) == commit


def test_sentry_has_the_commits_of_each_release(play: Rehearsal, records: Json) -> None:
    """A release in Sentry has the commits that are in its tag and not in the tag before."""
    log = play.project.succeed("git", "log", "--format=%H", "v1.1.0..v1.2.0").split()
    assert records["releases"][SICK]["commits"] == log


def test_sentry_has_the_source_maps(records: Json) -> None:
    """Each release in Sentry has the source map of the browser's script."""
    names = [[Path(file).name for file in r["files"]] for r in records["releases"].values()]
    assert ["browser.js.map" in files for files in names] == [True] * 5


def test_sentry_has_the_deploys(first: Step, sick: Step) -> None:
    """After a roll-back, Sentry has a deploy of the release that serves again."""
    assert (first.deploys, sick.deploys) == ([FIRST], [SECOND])


def test_only_what_served_is_finalized(records: Json) -> None:
    """A release without a healthy deploy gets no date in Sentry."""
    finalized = {name: release["finalized"] for name, release in records["releases"].items()}
    assert finalized == {FIRST: 1, SECOND: 1, SICK: 0, CUT_OFF: 1, CRASHING: 1}


def test_deploy_sends_an_event(records: Json) -> None:
    """Each deploy proves that Sentry gets events of its release and environment."""
    sent = [e for e in records["events"] if e.get("message") == "flask sentry-test"]
    served = {FIRST, SECOND, CUT_OFF, CRASHING}
    assert {(e["release"], e["environment"]) for e in sent} == {(r, "production") for r in served}


def test_broken_route_reaches_sentry(play: Rehearsal) -> None:
    """A crash on the server arrives in Sentry with the release that serves."""
    event_id = crash(play.site)
    [event] = [e for e in play.host.records()["events"] if e["event_id"] == event_id]
    assert event["release"] == FIRST


def test_migration_has_a_backup(play: Rehearsal) -> None:
    """A deploy with a migration makes a backup first, and brings the newest image of Redis.

    The database keeps its image, because a newer one would restart it.
    """
    second = play.steps["1.1.0 brings a migration"]
    assert (second.succeeded, second.serves) == (True, SECOND), second.log
    assert "Wrote ../backups/before-migration-" in second.log
    renewed = set(re.findall(rf"^{SLUG}_(\w+) runs", second.log, re.M))
    assert renewed == {"redis", "web"}


def test_sick_release_is_rolled_back(sick: Step) -> None:
    """A release that never becomes healthy fails, and the one before serves."""
    assert (sick.succeeded, sick.serves) == (False, SECOND)
    assert f"{SICK} was rolled back: {SECOND} serves" in sick.log


def test_cut_off_deploy_is_told_later(play: Rehearsal) -> None:
    """A deploy goes on without `make ship`, and the next run tells you and Sentry how it ended."""
    cut = play.steps["1.3.0 is cut off and told later"]
    assert (cut.succeeded, cut.serves, cut.deploys) == (True, CUT_OFF, [CUT_OFF]), cut.log
    assert ": 1.3.0 serves" in cut.log


def test_crashing_release_is_taken_back(play: Rehearsal) -> None:
    """The workflow takes a release back that is healthy by every check and crashes for users."""
    crashing = play.steps["1.4.0 crashes and is taken back"]
    assert (crashing.succeeded, crashing.serves) == (False, CUT_OFF), crashing.log
    assert "crashes for users" in crashing.log
    assert crashing.deploys == [CRASHING, CUT_OFF]


def test_second_deploy_at_once_is_refused(play: Rehearsal) -> None:
    """Of two deploys at once, one succeeds and the other says who holds the lock."""
    two = play.steps["1.1.0 from two laptops at once"]
    assert (two.succeeded, two.serves) == (False, SECOND), two.log
    assert "runs since" in two.log


def test_older_release_is_deployed_on_demand(play: Rehearsal) -> None:
    """The workflow, run by hand, deploys any published version."""
    back = play.steps["1.0.0 on demand"]
    assert (back.succeeded, back.serves) == (True, FIRST), back.log


def test_deploys_fail_no_request(play: Rehearsal) -> None:
    """Nobody who reads or posts notices a deploy, but for the release that crashes."""
    assert all(len(step.requests) > 100 for step in list(play.steps.values())[1:])
    failed = {title for title, step in play.steps.items() if step.failed}
    assert failed == {"1.4.0 crashes and is taken back"}


def test_acknowledged_posts_are_kept(play: Rehearsal) -> None:
    """Each post that the app accepted is in the database."""
    assert play.lost(play.posts) == set()


def test_discord_is_told_of_a_roll_back(records: Json) -> None:
    """The webhook gets one message, with both releases."""
    message = records["messages"][0]
    assert SICK in message["content"]
    assert SECOND in message["content"]


def test_second_run_changes_nothing(play: Rehearsal) -> None:
    """A deploy of what serves already changes nothing, and is no deploy in Sentry."""
    again = play.steps["1.0.0 once more"]
    assert again.succeeded, again.log
    assert (again.serves, again.changed, again.deploys) == (FIRST, 0, [])


def test_status_names_what_serves(play: Rehearsal) -> None:
    """`make status` asks the host itself, which shows what serves and the last deploys."""
    agent = {"ANSIBLE_SSH_AGENT": "auto", "ANSIBLE_PRIVATE_KEY": play.host.key}
    host = {"HOSTS": play.host.address, "ANSIBLE_REMOTE_USER": "deploy"}
    shown = play.project.run("make", "status", **agent, **host).stdout
    assert f'/readyz says: {{"release":"{FIRST}"' in shown
    assert "1.0.0 serves" in shown


def test_nightly_backup_is_checked_in(play: Rehearsal) -> None:
    """What cron runs on the host each night makes a backup, of which Sentry's monitor hears."""
    line = play.host.run("cat", f"/etc/cron.d/{SLUG}")
    play.host.run("sh", "-c", line.removeprefix("0 3 * * * root "))
    [check_in] = play.host.records()["check_ins"]
    assert (check_in["monitor_slug"], check_in["status"]) == (f"{SLUG}-backup", "ok")


def test_tokens_stay_where_they_belong(play: Rehearsal) -> None:
    """No token is in a log, in the image, or in a file of the host."""
    assert play.leaks() == []


def test_settings_on_the_host_are_private(play: Rehearsal) -> None:
    """Only root can read the .env whose secrets were made on the host."""
    assert play.host.run("stat", "--format", "%a %U", f"/opt/{SLUG}/.env") == "600 root"


def test_new_host_is_asked_about(play: Rehearsal) -> None:
    """From a terminal, a first deploy shows the fingerprint of the host, and notes its key."""
    with unknown(play) as known_hosts:
        ship = ["bin/ship", "--back", "9.9.9"]
        environment = {**play.project.variables, **play.prepare("1.0.0"), "CI": ""}
        child = pexpect.spawn(
            "sh", ship, cwd=play.project.folder, env=environment, encoding="utf-8"
        )
        child.expect("key fingerprint is SHA256:.*continue connecting")
        child.sendline("yes")
        find = ("ssh-keygen", "-F", play.host.address, "-f", known_hosts)
        wait_for(lambda: play.project.run(*find).stdout, "the key in deploy/known_hosts")
        child.close(force=True)


def test_unknown_host_is_refused(play: Rehearsal) -> None:
    """Without a terminal, a host whose key is unknown is refused, and Discord is told."""
    with unknown(play):
        settings = {**play.prepare("1.0.0"), "ANSIBLE_SSH_ARGS": "-o ControlPath=none"}
        shipped = play.project.run("make", "ship", "VERSION=1.0.0", **settings)
    assert f"host key is known for {play.host.address}" in shipped.stdout
    message = f"The deploy of {FIRST} did not get to the end on the host."
    assert play.host.records()["messages"][-1]["content"] == message


def test_host_of_another_swarm_is_refused(play: Rehearsal) -> None:
    """A host that is in another swarm ends the deploy, and the message says why."""
    with play.host.stranger() as address:
        hosts = {"HOSTS": f"{play.host.address},{address}"}
        (play.project.folder / "deploy/known_hosts").write_text(
            play.host.known_hosts() + public_key(address)
        )
        shipped = play.project.run("make", "ship", "VERSION=1.0.0", **play.prepare("1.0.0") | hosts)
    assert f"{address} is in another swarm." in shipped.stdout
    assert shipped.returncode


def moves(play: Rehearsal, new: Host) -> list[str]:
    """Return the commands with which deploy/README.md moves a site to another host."""
    readme = (play.project.folder / "deploy/README.md").read_text("utf-8")
    [commands] = re.findall(r"\*\*To another host\.\*\*.*?\n\n(    .*?)\n\n", readme, re.S)
    for word, value in (
        ("OLD", play.host.address),
        ("NEW", new.address),
        ("NAME", SLUG),
        ("https://www.example.com", play.site),
        ("VERSION=1.3.0", "VERSION=1.0.0"),
    ):
        assert word in commands, word
        commands = commands.replace(word, value)
    options = f"-i {play.folder}/key -o UserKnownHostsFile={play.project.folder}/deploy/known_hosts"
    return re.sub("^ *(ssh|scp) ", rf"\1 {options} ", commands, flags=re.M).splitlines()


def test_site_moves_to_another_host(play: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    """The README's five commands move a site to a bare host, and no post is lost."""
    with play.host.another() as new:
        keys = play.host.known_hosts() + new.known_hosts()
        (play.project.folder / "deploy/known_hosts").write_text(keys)
        for host in (play.host, new):
            host.admit_root()
        commands = moves(play, new)
        assert len(commands) == 5
        for command in commands:
            play.project.succeed("sh", "-c", command, **play.prepare("1.0.0"))
        site = {"Host": play.host.address}
        response = requests.get(f"http://{new.address}/readyz", headers=site, timeout=10)
        assert response.json() == {"release": FIRST, "status": "ok"}
        monkeypatch.setattr(play, "host", new)
        assert play.lost(play.posts) == set()
