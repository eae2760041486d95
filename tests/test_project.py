"""The baked default project: installed, migrated, served, and watched by a recording Sentry."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from pytest_cookies.plugin import Cookies
from sentry_relay.processing import StoreNormalizer

from tests.support.commands import HERE, ODD, Shell
from tests.support.sentry import Sink
from tests.support.servers import UV, Project, wait_for
from tests.support.template import BODY, CONTEXT
from tests.support.visitors import TIMEOUT, crash, csrf_token, sign_up

pytestmark = pytest.mark.slow

RELEASE = "microblog@1.2.3"
PYTHONS = CONTEXT["python_version"]


def test_broken_route_is_caught(site: str, sentry: Sink) -> None:
    """The event whose id the page shows arrives, with the release of the answers."""
    event_id = crash(site)
    wait_for(lambda: event_id in sentry.event_ids(), "the event")
    [event] = [event for event in sentry.items("event") if event["event_id"] == event_id]
    assert (event["release"], event["transaction"]) == (RELEASE, "/broken_route")


def test_ingest_has_no_remark(site: str, sentry: Sink) -> None:
    """Sentry's own ingest reports no error in any event or transaction that has arrived."""
    crash(site)
    wait_for(lambda: sentry.items("event") and sentry.items("transaction"), "both kinds")
    normalizer = StoreNormalizer(project_id=1, remove_other=True)
    arrived = sentry.items("event") + sentry.items("transaction")
    assert {str(normalizer.normalize_event(item).get("errors")) for item in arrived} == {"None"}


def test_sentry_test_names_the_event(project: Project, sentry: Sink) -> None:
    """`flask sentry-test` prints the id of an event that has arrived."""
    printed = project.run("flask", "sentry-test").stdout.split()
    assert sentry.event_ids() & set(printed)


def test_many_write_to_sqlite_at_once(site: str) -> None:
    """All of 40 people who post at the same time succeed, although SQLite has one writer."""
    browser = sign_up(site)
    token = csrf_token(browser.get(site, timeout=TIMEOUT))

    def post(number: int) -> int:
        form = {"csrf_token": token, "post": f"Post {number}"}
        cookies = browser.cookies
        page = requests.post(site, form, cookies=cookies, timeout=TIMEOUT, allow_redirects=False)
        return page.status_code

    with ThreadPoolExecutor(40) as pool:
        assert {*pool.map(post, range(200))} == {302}


# PyYAML, which dev.txt has, may be built: without a compiler it becomes a pure Python package.
@pytest.mark.parametrize("lock", ["prod", "dev", "deploy"])
@pytest.mark.parametrize("python", PYTHONS)
def test_pins_install_on_every_python(lock: str, python: str, tmp_path: Path) -> None:
    """Each lock can be installed on each Python without a compiler."""
    where = ("--python", sys.executable, "--target", tmp_path, "--python-version", python)
    how = ("--dry-run", "--require-hashes", "--only-binary", ":all:", "--no-binary", "pyyaml")
    HERE.succeed(UV, "pip", "install", *how, *where, "-r", BODY / f"requirements/{lock}.txt")


def test_pip_installs_what_uv_would(cookies: Cookies) -> None:
    """Without uv, an owner gets the same packages by pip, whatever the environment has."""
    project = Shell(cookies.bake().project_path)
    project.succeed("make", ".venv/dev", "UV=", f"PYTHON={sys.executable}", **ODD)
    again = ("--dry-run", "--require-hashes", "-r", "requirements/dev.txt", "--python", ".venv")
    assert "Would make no changes" in project.run(UV, "pip", "install", *again).stderr
