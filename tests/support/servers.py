"""The baked project, installed and served as its image serves it."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.commands import HERE, Shell

UV = str(Path(sys.executable).with_name("uv"))
PATIENCE = 120  # seconds, for a busy machine


def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Return the condition's first true value; raise TimeoutError when that takes too long."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise TimeoutError(what)


def responds(url: str, text: str = "") -> bool:
    """Tell whether the URL gives a successful response that contains the text."""
    try:
        response = requests.get(url, timeout=5)
        return response.ok and text in response.text
    except requests.RequestException:
        return False


@dataclass
class Gunicorn:
    """The app's server: a master process and its workers."""

    url: str
    process: subprocess.Popen[bytes]

    def workers(self) -> list[int]:
        """Return the workers' process ids."""
        return [int(pid) for pid in HERE.run("pgrep", "-P", str(self.process.pid)).stdout.split()]

    def stop(self) -> float:
        """Send SIGTERM, as Docker does, and return the seconds until the server has ended."""
        start = time.monotonic()
        self.process.terminate()
        self.process.wait(timeout=PATIENCE)
        return time.monotonic() - start


@contextmanager
def serving(
    shell: Shell, command: Sequence[str | Path], url: str, health: str = "/healthz"
) -> Iterator[Gunicorn]:
    """Run gunicorn until the block ends; the block begins when `health` responds."""
    with subprocess.Popen(command, cwd=shell.folder, env=shell.variables) as process:
        try:
            wait_for(lambda: responds(url + health) or process.poll() is not None, url)
            assert process.poll() is None, f"{command} ended"
            yield Gunicorn(url, process)
        finally:
            process.terminate()


class Project(Shell):
    """A baked project whose programs come from its own environment."""

    def __init__(self, folder: Path, venv: Path) -> None:
        """Let commands see nothing of the environment of whoever runs the tests."""
        self.venv = venv
        path = f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"
        super().__init__(folder, {"PATH": path, "HOME": str(folder)})

    @contextmanager
    def serving(self, **settings: str) -> Iterator[Gunicorn]:
        """Serve with `.env` and the command of the Dockerfile until the block ends."""
        address = f"127.0.0.1:{free_port()}"
        dockerfile = (self.folder / "Dockerfile").read_text("utf-8")
        program, *arguments = json.loads(re.findall(r"^CMD (.+)$", dockerfile, re.M)[0])
        shell = Shell(self.folder, {**self.variables, **env_of(self.folder), **settings})
        command = (self.venv / "bin" / program, *arguments, "--bind", address)
        with serving(shell, command, f"http://{address}") as gunicorn:
            yield gunicorn


def find_python(version: str) -> str:
    """Return the path of a Python of this machine; skip the test where there is none."""
    # PYENV_VERSION makes pyenv's shim, where there is one, start this version.
    find = (UV, "python", "find", "--no-python-downloads", version)
    found = HERE.run(*find, PYENV_VERSION=version)
    if found.returncode:
        pytest.skip(f"there is no Python {version} on this machine")
    return found.stdout.strip()


def install(requirements: Path, venv: Path, python: str = sys.executable) -> None:
    """Make an environment with exactly the packages of a hashed requirements file."""
    HERE.succeed(UV, "venv", "--quiet", "--python", python, venv)
    sync = (UV, "pip", "sync", "--quiet", "--require-hashes", requirements)
    HERE.succeed(*sync, VIRTUAL_ENV=str(venv))


def lend(venv: Path, project: Path) -> None:
    """Let the Makefile of a project use an environment, and take it for complete."""
    (project / ".venv").symlink_to(venv)
    for ready in ("made", "prod", "dev"):
        (venv / ready).touch()


def env_of(project: Path) -> dict[str, str]:
    """Return the variables of a project's `.env`, as Compose hands them to the image."""
    lines = (project / ".env").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
