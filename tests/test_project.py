"""The baked default project for real: installed, migrated, served, broken, caught."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from helpers import BODY, DSN, files
from pytest_cookies.plugin import Cookies
from sentry_relay.processing import StoreNormalizer
from servers import UV, Kent, Project, csrf_token, install, sign_up, wait_for

pytestmark = pytest.mark.slow

RELEASE = "microblog@1.2.3"


@pytest.fixture
def person(site: str) -> requests.Session:
    """Return a browser in which somebody has registered and logged in."""
    return sign_up(site)


def test_models_and_migrations_agree(project: Project) -> None:
    """`flask db check` finds nothing to migrate."""
    assert "No new upgrade operations" in project.run("flask db check").stdout


def test_person_can_post(site: str, person: requests.Session) -> None:
    """Somebody who registered finds their post on the timeline."""
    token = csrf_token(person.get(site, timeout=10))
    person.post(site, data={"csrf_token": token, "post": "Hello, world"}, timeout=10)
    assert "Hello, world" in person.get(site, timeout=10).text


def test_site_is_ready(site: str) -> None:
    """The readiness check sees a migrated database."""
    assert requests.get(f"{site}/readyz", timeout=10).status_code == 200


def test_broken_route_is_caught(site: str, sentry: Kent) -> None:
    """The event of a crash arrives, with the id on the page and the release of the answers."""
    page = requests.get(f"{site}/broken_route", timeout=10)
    (event_id,) = re.findall(r'class="event-id">(\w+)<', page.text)
    (event,) = wait_for(
        lambda: [e for e in sentry.items("event") if e["event_id"] == event_id], "the event"
    )
    assert (event["release"], event["transaction"]) == (RELEASE, "/broken_route")


def test_requests_are_traced(site: str, sentry: Kent) -> None:
    """A request to a page arrives as a transaction named by its route."""
    requests.get(f"{site}/auth/login", timeout=10)
    names = {"/auth/login"}
    assert wait_for(
        lambda: names & {t["transaction"] for t in sentry.items("transaction")}, "the transaction"
    )


def test_ingest_has_no_remark(site: str, sentry: Kent) -> None:
    """Sentry's own ingest finds nothing amiss in anything that has arrived so far."""
    requests.get(f"{site}/broken_route", timeout=10)
    wait_for(lambda: sentry.items("event") and sentry.items("transaction"), "both kinds")
    normalizer = StoreNormalizer(project_id=1, remove_other=True)
    arrived = sentry.items("event") + sentry.items("transaction")
    assert {str(normalizer.normalize_event(item).get("errors")) for item in arrived} == {"None"}


def test_sentry_test_tells_where_the_event_is(project: Project, sentry: Kent) -> None:
    """`flask sentry-test` prints the id of an event that did arrive."""
    (event_id,) = re.findall(r"Event +(\w+) has arrived", project.run("flask sentry-test").stdout)
    assert event_id in {event["event_id"] for event in sentry.items("event")}


@pytest.mark.parametrize("lock", ["prod", "dev"])
@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_pins_install_on_every_python(lock: str, python: str, tmp_path: Path) -> None:
    """Each lock has what a Python of that version needs, without a compiler."""
    requirements = BODY / f"requirements/{lock}.txt"
    dry_run = [UV, "pip", "install", "--dry-run", "--require-hashes", "--only-binary", ":all:"]
    where = ["--python", sys.executable, "--target", str(tmp_path), "--python-version", python]
    result = subprocess.run(
        [*dry_run, *where, "--requirement", str(requirements)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("python", ["3.12", "3.13"])  # 3.14: test_containers.py
def test_own_tests_pass_on_newer_pythons(
    python: str, default_project: Path, tmp_path: Path
) -> None:
    """Whichever Python the owner has, the project's tests are green."""
    find = [UV, "python", "find", "--no-python-downloads", python]
    pyenv = {**os.environ, "PYENV_VERSION": python}  # where pyenv has it, its shim finds it so
    found = subprocess.run(find, capture_output=True, text=True, env=pyenv)
    if found.returncode:
        pytest.skip(f"there is no Python {python} on this machine")
    project = Project(default_project, tmp_path / "venv")
    install(BODY / "requirements/test.txt", project.venv, python=found.stdout.strip())
    cache = str(tmp_path / "cache")  # the project is shared with other tests
    result = project.run("pytest -p no:cacheprovider", PYTHONPYCACHEPREFIX=cache)
    assert result.returncode == 0, result.stdout


def test_owner_commands_are_green(cookies: Cookies) -> None:
    """In a fresh bake and git repository, tests, linters and pre-commit hooks pass."""
    path = cookies.bake(extra_context={"sentry_dsn": DSN, "release": "1.2.3"}).project_path
    project = Project(path, path / ".venv")
    for command in (
        "git init --quiet",
        "git add .",
        f"make test lint install PYTHON={sys.executable}",
        ".venv/bin/pre-commit run --all-files",
    ):
        result = subprocess.run(
            command.split(), cwd=path, env=project.environment(), capture_output=True, text=True
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"


def test_body_works_in_place(tmp_path: Path) -> None:
    """Type checks and tests of the unrendered body pass, and leave nothing behind in it."""
    before = files(BODY)
    install(BODY / "requirements/dev.txt", tmp_path / "venv")
    body = Project(BODY, tmp_path / "venv")
    caches = {"PYTHONPYCACHEPREFIX": str(tmp_path), "HOME": str(tmp_path)}
    for command in (
        f"mypy --cache-dir {tmp_path / 'mypy'}",
        "pytest -p no:cacheprovider",
    ):
        result = body.run(command, **caches)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
    assert files(BODY) == before
