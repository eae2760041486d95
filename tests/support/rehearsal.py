"""Releases rehearsed on one machine: from `git push` of a tag to the servers and Sentry.

act runs the project's own workflow, unmodified; stand-ins for its two actions clone the repository
and leave the machine's Python as it is.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests
import yaml

from tests.support import sentry_api
from tests.support.baking import bake
from tests.support.commands import HERE, IDENTITY, Shell, docker
from tests.support.hosts import Host, bare_host
from tests.support.load import Load, Request
from tests.support.owners import edit
from tests.support.servers import UV, install, wait_for
from tests.support.template import BODY

ACT = Path(sys.executable).with_name("act")
SLUG = "microblog"
DOCKER_TOKEN = "planted-docker-token"  # noqa: S105
WEBHOOK = "planted-webhook-token"
PAUSE = 0.3  # seconds between two requests of a person: more of them would slow the deploys down
WORKFLOW = yaml.safe_load((BODY / ".github/workflows/release.yml").read_text("utf-8"))
MIGRATION = '''"""Posts have a language."""

import sqlalchemy as sa
from alembic import op

revision = "language"
down_revision = "{head}"


def upgrade() -> None:
    """Add the column."""
    op.add_column("post", sa.Column("language", sa.String(5)))
'''
# Healthy by every check, and yet one page in ten crashes.
CRASHING = '''"""The app, for a WSGI server and the `flask` command."""

from itertools import count

from flask import request

from app import create_app

app = create_app()
pages = count(1)


@app.before_request
def crash() -> None:
    """Crash on one page in ten."""
    if request.path == "/" and next(pages) % 10 == 0:
        raise RuntimeError("One page in ten")
'''
# Clones as actions/checkout does: without history, unless it is asked for.
CHECKOUT = """
name: checkout
inputs: {{persist-credentials: {{default: "true"}}, fetch-depth: {{default: "1"}}}}
runs:
  using: composite
  steps:
    - shell: bash
      run: >-
        git -c advice.detachedHead=false clone --quiet
        ${{{{ inputs.fetch-depth != '0' && '--depth 1' || '' }}}}
        --branch "$GITHUB_REF_NAME" "file://{origin}" .
"""
PYTHON = """
name: setup-python
inputs: {python-version: {required: true}}
runs: {using: composite, steps: [{shell: bash, run: python3 --version}]}
"""


Result = subprocess.CompletedProcess[str]


class Idle:
    """Nobody uses the site."""

    def during(self, act: Callable[[], object]) -> list[Request]:
        """Do something."""
        act()
        return []


@dataclass
class Step:
    """A release, and what became of it."""

    title: str
    version: str
    succeeded: bool
    log: str
    seconds: float
    serves: str
    digest: str
    commits: int
    deploys: list[str]
    requests: list[Request]

    @property
    def changed(self) -> int:
        """Return the number of changes that Ansible made on the host."""
        return int(re.findall(r"changed=(\d+)", self.log)[-1])

    @property
    def failed(self) -> list[Request]:
        """Return the requests that failed meanwhile."""
        return [request for request in self.requests if not request.succeeded]

    @property
    def acknowledged(self) -> set[str]:
        """Return the posts that the app accepted meanwhile."""
        return {request.post for request in self.requests if request.post and request.succeeded}


@dataclass
class Rehearsal:
    """A project, its git repository and server, and the host that it is released to."""

    folder: Path
    host: Host
    steps: dict[str, Step] = field(default_factory=dict)
    posts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Bake the project, commit it, and push it to a git server."""
        image = f"{self.host.registry}/acme/{SLUG}"
        answers = {"docker_image": image, "browser_tracing": "yes"}
        self.project = Shell(bake(self.folder, project_slug=SLUG, **answers))
        self.project.variables |= {**IDENTITY, "HOME": str(self.folder)}
        (self.folder / "bin").mkdir()
        # Three jobs install packages, which takes pip a minute.
        (self.folder / "bin/uv").symlink_to(UV)
        self.project.variables["PATH"] = f"{self.folder / 'bin'}:{os.environ['PATH']}"
        self.site = f"http://{self.host.address}"
        self.origin = self.folder / "origin.git"
        self.project.succeed("git", "init", "--quiet", "--bare", self.origin)
        self.project.succeed("git", "init", "--quiet", "--initial-branch", "main")
        self.project.succeed("git", "remote", "add", "origin", self.origin)
        (self.project.folder / "deploy/known_hosts").write_text(self.host.known_hosts())
        edit(self.project.folder / "deploy/compose.swarm.yaml", "${BROKEN_ROUTE:-0}", "1")
        self.keep_one_test()
        self.commit("Start")
        self.write_settings()

    def keep_one_test(self) -> None:
        """Leave one test for the workflow to run; other tests of the template run them all."""
        for path in (self.project.folder / "tests").rglob("test_*.py"):
            if path.name != "test_templating.py":
                path.unlink()

    def write_settings(self) -> None:
        """Write the secrets and variables of the repository, and the stand-ins of the actions."""
        token = sentry_api.organization_token(self.host.sentry)
        dsn = self.host.sentry.replace("://", "://public@") + sentry_api.DSN_PATH
        self.secrets = {
            "DOCKER_TOKEN": DOCKER_TOKEN,
            "SENTRY_AUTH_TOKEN": token,
            "SENTRY_DSN": dsn,
            "SSH_PRIVATE_KEY": self.host.key,
            "DISCORD_WEBHOOK": f"{self.host.sentry}/webhook/{WEBHOOK}",
        }
        self.settings = {
            "DOCKER_USERNAME": "susan",
            "HOSTS": self.host.address,
            "PUBLIC_URL": self.site,
            "SSH_USER": "deploy",
        }
        self.watch("0.1")
        for name, text in (
            ("checkout", CHECKOUT.format(origin=self.origin)),
            ("setup-python", PYTHON),
        ):
            (self.folder / name).mkdir()
            (self.folder / name / "action.yml").write_text(text)

    def watch(self, minutes: str) -> None:
        """Set for how long the workflow watches a release, with all that it gets from GitHub."""
        self.settings["WATCH"] = minutes
        for name, values in (("secrets", self.secrets), ("vars", self.settings)):
            lines = (f"{key}={json.dumps(value)}\n" for key, value in values.items())
            (self.folder / name).write_text("".join(lines))

    def commit(self, message: str) -> None:
        """Commit everything."""
        self.project.succeed("git", "add", ".")
        self.project.succeed("git", "commit", "--quiet", "--message", message)

    def add_migration(self) -> None:
        """Add a column in a migration of the next release."""
        versions = self.project.folder / "migrations/versions"
        texts = "".join(path.read_text() for path in versions.glob("*.py"))
        [head] = set(re.findall(r'^revision.* = "(.*)"', texts, re.M)) - set(
            re.findall(r'^down_revision.* = "(.*)"', texts, re.M)
        )
        (versions / "language.py").write_text(MIGRATION.format(head=head))
        self.commit("Give posts a language")

    def fall_ill(self) -> None:
        """Let the next release never be healthy."""
        edit(self.project.folder / "app/health.py", '"/healthz"', '"/sick"')
        self.commit("Rename a URL")

    def recover(self) -> None:
        """Let the next release be healthy again."""
        edit(self.project.folder / "app/health.py", '"/sick"', '"/healthz"')
        self.commit("Rename it back")

    def crash(self) -> None:
        """Let the next release crash for users, although it is healthy."""
        (self.project.folder / "wsgi.py").write_text(CRASHING)
        self.commit("Count pages")

    # Ways to release

    def push(self, version: str) -> Result:
        """Release a version and push its tag, on which the workflow runs."""
        self.project.succeed("make", "release", f"VERSION={version}")
        self.project.succeed("git", "push", "--quiet", "origin", "HEAD", f"v{version}")
        return self.act("push", {"ref": f"refs/tags/v{version}"})

    def dispatch(self, version: str) -> Result:
        """Run the workflow by hand for a version that is published."""
        inputs = {"version": version}
        return self.act("workflow_dispatch", {"ref": "refs/heads/main", "inputs": inputs})

    def act(self, event: str, payload: dict[str, Any]) -> Result:
        """Run the workflow for an event."""
        (self.folder / "event.json").write_text(json.dumps(payload))
        uses = {s["uses"] for job in WORKFLOW["jobs"].values() for s in job["steps"] if "uses" in s}
        actions = (
            f"--local-repository={action}={self.folder / action.split('@')[0].split('/')[1]}"
            for action in uses
        )
        return self.project.run(
            ACT,
            event,
            *("--workflows", ".github/workflows/release.yml"),
            *("--eventpath", self.folder / "event.json"),
            *("--secret-file", self.folder / "secrets"),
            *("--var-file", self.folder / "vars"),
            *("--env-file", "/dev/null"),
            *("--platform", f"{WORKFLOW['jobs']['image']['runs-on']}=-self-hosted"),
            *("--action-cache-path", self.folder / "act"),
            "--action-offline-mode",
            "--no-cache-server",
            "--no-skip-checkout",
            *actions,
            PIP_NO_COMPILE="1",
        )

    def prepare(self, version: str) -> dict[str, str]:
        """Release and publish a version, if it is new, and return what `make ship` needs."""
        tools = self.project.folder / ".venv/tools"
        if not tools.exists():
            install(self.project.folder / "requirements/deploy.txt", tools)
            for ready in (tools.parent / "made", tools / "ready"):
                ready.touch()
        settings = {
            **self.secrets,
            **self.settings,
            "ANSIBLE_PRIVATE_KEY": self.host.key,
            "ANSIBLE_REMOTE_USER": "deploy",
        }
        if self.project.run("git", "rev-parse", f"v{version}").returncode:
            self.project.succeed("make", "release", f"VERSION={version}")
            self.project.succeed("make", "publish", "sentry-release", **settings)
        return settings

    def by_hand(self, version: str) -> Result:
        """Release a version with the recipes that the workflow runs, if it is new, and ship it."""
        settings = self.prepare(version)
        shipped = self.project.run("make", "ship", f"VERSION={version}", **settings)
        self.project.succeed("make", "sentry-deploy", **settings)
        return shipped

    def watched(self, version: str) -> Result:
        """Ship a version by hand, and return the result of `make watch`."""
        shipped = self.by_hand(version)
        assert shipped.returncode == 0, shipped.stdout + shipped.stderr
        settings = self.prepare(version)
        result = self.project.run("make", "watch", **settings)
        self.project.succeed("make", "sentry-deploy", **settings)
        return result

    def cut_off(self, version: str) -> Result:
        """Ship a version, kill `make ship` once the host deploys, and ship it once more."""
        settings = self.prepare(version)
        command = ("make", "ship", f"VERSION={version}")
        started = f"A deploy of {version} started"
        with (self.folder / "cut.log").open("wb") as log:
            cut = subprocess.Popen(
                command,
                cwd=self.project.folder,
                env={**self.project.variables, **settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_for(lambda: started in self.record(), "the deploy")
        os.killpg(cut.pid, signal.SIGKILL)
        cut.wait()
        wait_for(lambda: f"{version} serves" in self.record(), "its end without `make ship`")
        return self.by_hand(version)

    def two_at_once(self, version: str) -> Result:
        """Ship a version from two laptops, and return the result of the one that is refused."""
        settings = self.prepare(version)
        other = Shell(self.folder / "laptop", self.project.variables)
        shutil.copytree(self.project.folder, other.folder, symlinks=True)
        command = ("make", "ship", f"VERSION={version}")
        with ThreadPoolExecutor() as pool:
            laptops = (self.project, other)
            ships = [pool.submit(laptop.run, *command, **settings) for laptop in laptops]
        results = sorted((ship.result() for ship in ships), key=lambda result: result.returncode)
        assert results[0].returncode == 0, results[0].stdout + results[0].stderr
        return results[1]

    def record(self) -> str:
        """Return the record of the deploys on the host."""
        return self.host.run("sh", "-c", f"cat /opt/{SLUG}/.deploy.log || true")

    # What became of it

    def step(
        self,
        title: str,
        version: str,
        release: Callable[[str], Result],
        load: Load | None = None,
    ) -> None:
        """Release a version, and record what became of it."""
        print(f"== {title}")
        start, deploys = time.monotonic(), len(self.host.records()["deploys"])
        results: list[Result] = []
        seen = (load or Idle()).during(lambda: results.append(release(version)))
        records = self.host.records()
        known = records["releases"].get(f"{SLUG}@{version}", {"commits": []})
        log = results[0].stdout + results[0].stderr
        try:
            serves = self.serves()
        except requests.ConnectionError as error:  # the log says why nothing serves
            raise AssertionError(log) from error
        step = Step(
            title,
            version,
            succeeded=results[0].returncode == 0,
            log=log,
            seconds=time.monotonic() - start,
            serves=serves,
            digest=self.digest(),
            commits=len(known["commits"]),
            deploys=[deploy["release"] for deploy in records["deploys"][deploys:]],
            requests=seen,
        )
        self.steps[title] = step
        print(f"   {step.seconds:.0f} s, {step.serves} serves, {len(step.failed)} failures")

    def serves(self) -> str:
        """Return the release that the site says it serves."""
        return str(requests.get(f"{self.site}/readyz", timeout=10).json()["release"])

    def digest(self) -> str:
        """Return the digest of the image that runs on the host."""
        form = "{{.Spec.TaskTemplate.ContainerSpec.Image}}"
        image = self.host.run("docker", "service", "inspect", "--format", form, f"{SLUG}_web")
        return image.split("@")[1]

    def published(self, version: str) -> str:
        """Return the digest that the registry has for a version."""
        url = f"http://{self.host.registry}/v2/acme/{SLUG}/manifests/{version}"
        accept = {"Accept": "application/vnd.docker.distribution.manifest.v2+json"}
        return requests.head(url, headers=accept, timeout=10).headers["Docker-Content-Digest"]

    def tokens(self) -> dict[str, str]:
        """Return the secrets that nobody may find where they do not belong."""
        body = self.host.key.splitlines()[2]
        release = {"SENTRY_AUTH_TOKEN": sentry_api.RELEASE_SECRET, "SSH_PRIVATE_KEY": body}
        return {**release, "DOCKER_TOKEN": DOCKER_TOKEN, "DISCORD_WEBHOOK": WEBHOOK}

    def leaks(self) -> list[str]:
        """Return the places that contain a token: logs, the image, the files of the host."""
        found = [
            f"{name} in the log of {step.title}"
            for name, token in self.tokens().items()
            for step in self.steps.values()
            if token in step.log
        ]
        for name, token in self.tokens().items():
            search = f"grep -rls {token} /opt /etc /home /root /tmp /var/log || true"
            found += [f"{name} in {path}" for path in self.host.run("sh", "-c", search).split()]
        image = self.folder / "image.tar"
        docker("save", "--output", image, f"{self.host.registry}/acme/{SLUG}:latest")
        content = image.read_bytes()
        return found + [
            f"{n} in the image" for n, t in self.tokens().items() if t.encode() in content
        ]

    def lost(self, acknowledged: set[str]) -> set[str]:
        """Return the posts that the app has accepted and the database does not have."""
        database = self.host.run("docker", "ps", "--quiet", "--filter", f"name={SLUG}_db")
        query = ("psql", "--username", "app", "--tuples-only", "--no-align", "--command")
        rows = self.host.run("docker", "exec", database, *query, "SELECT body FROM post")
        return acknowledged - set(rows.split())

    def table(self, lost: set[str]) -> str:
        """Return what became of all releases, as a table."""
        row = "{:<34}{:>4} s  {:<8}{:>8}  {:<34}{:>9}{:>8}{:>7}{:>6}".format
        heads = ("serves", "commits", "deploys in Sentry", "requests", "failed", "posts", "lost")
        lines = [
            row(
                step.title,
                round(step.seconds),
                step.serves.partition("@")[2],
                step.commits,
                ", ".join(step.deploys) or "none",
                len(step.requests),
                len(step.failed),
                len(step.acknowledged),
                len(step.acknowledged & lost),
            )
            for step in self.steps.values()
        ]
        return "\n".join([row("step", "", *heads), *lines])


@contextmanager
def rehearsal() -> Iterator[Rehearsal]:
    """Prepare a rehearsal; its containers run until the block ends."""
    print("== A bare host, a registry, a git server and a fake Sentry")
    start = time.monotonic()
    # Ansible makes a socket in the home folder, whose path may have 107 characters: pytest's
    # folders are too deep.
    with TemporaryDirectory(ignore_cleanup_errors=True) as home, bare_host(Path(home)) as host:
        prepared = Rehearsal(Path(home), host)
        print(f"   {time.monotonic() - start:.0f} s")
        yield prepared
        for image in docker("images", "--quiet", f"{host.registry}/acme/{SLUG}").split():
            HERE.run("docker", "rmi", "--force", image)
