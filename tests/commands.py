"""Other programs, for the tests of containers."""

import os
import subprocess
from pathlib import Path


def run(*command: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command, with more variables if given."""
    environment = {**os.environ, **more}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def succeed(*command: str, cwd: Path | None = None, **more: str) -> str:
    """Run a command that must succeed, and return what it prints."""
    result = run(*command, cwd=cwd, **more)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.strip()


def docker(*arguments: str) -> str:
    """Return what docker prints; it must succeed."""
    return succeed("docker", *arguments)
