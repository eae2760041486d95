"""Fixtures: a default bake, answers typed at the prompts, a terminal, and a served project."""

import os
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.main import cookiecutter
from hypothesis import settings
from playwright.sync_api import Browser
from pytest_cookies.plugin import Cookies, Result

from tests.support.baking import Terminal
from tests.support.browsers import CHROMIUM, chromium
from tests.support.commands import HERE, Shell, skip_unless_ci
from tests.support.containers import leave_swarm
from tests.support.owners import add_script
from tests.support.sentry import Sink
from tests.support.servers import UV, Project, install
from tests.support.template import BODY, TEMPLATE

settings.register_profile("thorough", deadline=None, max_examples=500, derandomize=True)
settings.register_profile("fast", deadline=None, max_examples=50)
settings.load_profile("fast")  # `make test` asks for the other


def pytest_configure(config: pytest.Config) -> None:
    """Let the programs that tests start be interrupted, as Ctrl+C does in a terminal.

    A shell makes what it runs in the background ignore SIGINT, and children inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):  # workers inherit it; runs that a test starts must not
        os.environ["TEST_RUN"] = str(os.getpid())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the swarm of the tests when all workers have ended."""
    if not hasattr(session.config, "workerinput"):
        leave_swarm()


Bake = Callable[..., Path]
Installed = Callable[[str], Path]


@pytest.fixture(scope="session")
def bake_once(cookies_session: Cookies) -> Callable[..., Result]:
    """Return a function that bakes each selection of answers once, for tests that only read."""
    return cache(lambda **answers: cookies_session.bake(answers))


@pytest.fixture(scope="session")
def default_project(bake_once: Callable[..., Result]) -> Path:
    """Return the project of the default answers; tests must not change it."""
    return Path(bake_once().project_path)


@pytest.fixture
def typed(_cookiecutter_config_file: Path, monkeypatch: pytest.MonkeyPatch) -> Bake:
    """Return a function that bakes with typed answers, which Cookiecutter does not render."""

    def bake(output_dir: Path, **answers: Any) -> Path:
        def read(key: str, default: str, *_: Any) -> str:
            return answers.get(key, "").strip() or default

        def decide(key: str, default: bool, *_: Any) -> bool:
            return bool(answers.get(key, default))

        def choose(key: str, options: list[str], *_: Any) -> str:
            return str(answers.get(key, options[0]))

        for kind, function in {"variable": read, "yes_no": decide, "choice": choose}.items():
            monkeypatch.setattr(f"cookiecutter.prompt.read_user_{kind}", function)
        config = str(_cookiecutter_config_file)
        return Path(cookiecutter(str(TEMPLATE), output_dir=str(output_dir), config_file=config))

    return bake


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Return a function that makes an environment of a lock once; tests must not change it."""

    @cache
    def install_once(lock: str) -> Path:
        venv = tmp_path_factory.mktemp("venv")
        install(BODY / f"requirements/{lock}.txt", venv)
        return venv

    return install_once


@pytest.fixture(scope="session")
def npx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put the Node that projects pin first on the PATH, whichever Node this machine has."""
    venv, path = tmp_path_factory.mktemp("venv"), tmp_path_factory.mktemp("node")
    install(BODY / "browser/requirements.txt", venv)
    for program in ("node", "npm", "npx"):  # and not the environment's Python
        (path / program).symlink_to(venv / "bin" / program)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(path), prepend=os.pathsep)
        yield


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    """Return a command line that uses no file of whoever runs the tests."""
    return Terminal(tmp_path)


@pytest.fixture(scope="session")
def engine() -> None:
    """Skip the test where no container engine responds, except in CI, where it then fails."""
    if not (shutil.which("docker") and HERE.run("docker", "info").returncode == 0):
        skip_unless_ci("no container engine responds")


@pytest.fixture(scope="session")
def sentry() -> Iterator[Sink]:
    """Return a server that records what the project sends to Sentry."""
    with Sink() as sink:
        yield sink


@pytest.fixture(scope="session")
def project(cookies_session: Cookies, sentry: Sink, installed: Installed) -> Project:
    """Return a project whose DSN is the recording server's, installed and migrated."""
    baked = cookies_session.bake(extra_context={"sentry_dsn": sentry.dsn, "release": "1.2.3"})
    project = Project(baked.project_path, installed("prod"))
    project.succeed("flask", "db", "upgrade")
    return project


@pytest.fixture(scope="session")
def site(project: Project) -> Iterator[str]:
    """Return the URL of the project, served as its image serves it."""
    with project.serving() as gunicorn:
        yield gunicorn.url


@pytest.fixture(scope="session")
def traced(cookies_session: Cookies, sentry: Sink) -> Project:
    """Return a project that traces in the browser, built, installed and migrated."""
    answers = {"browser_tracing": True, "sentry_dsn": sentry.dsn, "release": "1.2.3"}
    folder: Path = cookies_session.bake(answers).project_path
    add_script(folder)
    Shell(folder).succeed("make", f"UV={UV}", "assets", ".venv/prod")
    traced = Project(folder, folder / ".venv")
    traced.succeed("flask", "db", "upgrade")
    return traced


@pytest.fixture(scope="session")
def traced_site(traced: Project) -> Iterator[str]:
    """Return the URL of that project, served as its image serves it."""
    with traced.serving() as gunicorn:
        yield gunicorn.url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the system's Chromium; skip the test where there is none, except in CI."""
    if not CHROMIUM:
        skip_unless_ci("there is no Chromium")
    with chromium() as browser:
        yield browser


@pytest.fixture
def attackers() -> Iterator[ExitStack]:
    """Return what closes the attackers' sockets, of which a test may open very many."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    with ExitStack() as stack:
        yield stack
    resource.setrlimit(resource.RLIMIT_NOFILE, before)
