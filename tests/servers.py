"""Real servers for the slow tests: the baked app as its image starts it, and kent."""

import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from helpers import TEMPLATE

UV = str(Path(sys.executable).with_name("uv"))
KENT = [UV, "tool", "run", "--from", "kent==2.2.0", "kent-server", "run"]
PATIENCE = 60  # seconds


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return the condition's first true value; fail when that takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise TimeoutError(what)


def answers(url: str) -> bool:
    """Tell whether somebody answers at the address."""
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


@contextmanager
def running(command: list[str], url: str, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; the block begins when it answers at the address."""
    with subprocess.Popen(command, **options) as process:
        try:
            wait_for(lambda: answers(url) or process.poll() is not None, f"{command} at {url}")
            assert process.poll() is None, f"{command} ended"
            yield process
        finally:
            process.terminate()


@dataclass
class Kent:
    """A server that records what a Sentry SDK sends."""

    url: str

    @property
    def dsn(self) -> str:
        """Return the DSN of its project."""
        return self.url.replace("://", "://public@") + "/1"

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return the bodies of the recorded envelopes' items of a kind."""
        listed = requests.get(f"{self.url}/api/eventlist/", timeout=5).json()["events"]
        urls = [f"{self.url}/api/event/{event['event_id']}" for event in listed]
        payloads = [requests.get(url, timeout=5).json()["payload"] for url in urls]
        return [p["body"] for p in payloads if p["header"]["type"] == kind]


@contextmanager
def kent() -> Iterator[Kent]:
    """Run kent, in an environment of its own."""
    port = free_port()
    server = Kent(f"http://127.0.0.1:{port}")
    quiet = subprocess.DEVNULL
    with running([*KENT, "--port", str(port)], server.url, stdout=quiet, stderr=quiet):
        yield server


@dataclass
class Gunicorn:
    """The app's server: a master process and its workers."""

    url: str
    process: subprocess.Popen[bytes]

    def workers(self) -> list[int]:
        """Return the workers' process ids."""
        pgrep = ["pgrep", "-P", str(self.process.pid)]
        return [int(pid) for pid in subprocess.run(pgrep, capture_output=True).stdout.split()]

    def stop(self) -> float:
        """Ask it to end, as Docker does; how many seconds that took."""
        start = time.monotonic()
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        return time.monotonic() - start


@dataclass
class Project:
    """A baked project with its pins installed."""

    path: Path
    venv: Path

    def run(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the project's environment, in its folder."""
        return subprocess.run(
            [self.venv / "bin" / (words := shlex.split(command))[0], *words[1:]],
            cwd=self.path,
            env=self.environment(**environment),
            capture_output=True,
            text=True,
            check=False,
        )

    def environment(self, **more: str) -> dict[str, str]:
        """Return what its processes see: nothing of whoever runs the tests."""
        return {"PATH": os.environ["PATH"], "HOME": str(self.path), **more}

    @contextmanager
    def serving(self, **environment: str) -> Iterator[str]:
        """Serve as the image does, on a free port; the address."""
        with self.gunicorn(**environment) as gunicorn:
            yield gunicorn.url

    @contextmanager
    def gunicorn(self, **environment: str) -> Iterator[Gunicorn]:
        """Serve as the image does, on a free port."""
        url = f"http://127.0.0.1:{free_port()}"
        dockerfile = (self.path / "Dockerfile").read_text("utf-8")
        (line,) = re.findall(r"^CMD \[(.+)\]$", dockerfile, re.M)
        program, *arguments = re.findall(r'"([^"]+)"', line)
        arguments += ["--bind", url.removeprefix("http://")]
        with running(
            [str(self.venv / "bin" / program), *arguments],
            f"{url}/healthz",
            cwd=self.path,
            env=self.environment(**environment),
        ) as process:
            yield Gunicorn(url, process)


def install(requirements: Path, venv: Path, python: str = sys.executable) -> None:
    """Make an environment with exactly the packages of a hashed requirements file."""
    subprocess.run([UV, "venv", "--quiet", "--python", python, venv], check=True)
    sync = [UV, "pip", "sync", "--quiet", "--require-hashes", str(requirements)]
    subprocess.run(sync, check=True, env={**os.environ, "VIRTUAL_ENV": str(venv)})


def env_of(project: Path) -> dict[str, str]:
    """Return the variables of a project's `.env`, as Compose hands them to the image."""
    lines = (project / ".env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def csrf_token(page: requests.Response) -> str:
    """Return the token in a page's form."""
    match = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)
    assert match, page.text
    return match[1]


def sign_up(site: str) -> requests.Session:
    """Return a browser in which susan has an account and is logged in."""
    browser = requests.Session()
    account = {"username": "susan", "email": "susan@example.com"}
    password = {"password": "correct horse", "password2": "correct horse"}
    for page in ("register", "login"):
        url = f"{site}/auth/{page}"
        token = {"csrf_token": csrf_token(browser.get(url, timeout=10))}
        browser.post(url, data={**account, **password, **token}, timeout=10)
    return browser


def bake(folder: Path, **answers: str) -> Path:
    """Bake a project of the default answers, but for those given, where no test does."""
    given = [f"{key}={value}" for key, value in answers.items()]
    command = [sys.executable, "-m", "cookiecutter", str(TEMPLATE), "--no-input", *given]
    options = ["--default-config", "--output-dir", str(folder)]
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL)
    return folder / answers.get("project_slug", "microblog")
