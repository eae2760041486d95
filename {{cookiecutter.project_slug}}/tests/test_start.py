"""How the app starts."""

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT, TestConfig


def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, with these settings and no others."""
    example = ROOT.joinpath(".env.example").read_text(encoding="utf-8")
    settings = re.findall(r"\b([A-Z_]+)=", example)
    environment = {name: value for name, value in os.environ.items() if name not in settings}
    environment |= {"FLASK_SKIP_DOTENV": "1", **TestConfig.environment}
    return subprocess.run(  # noqa: S603
        [sys.executable, *command],
        cwd=ROOT,
        env=environment | variables,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("command", [["-c", "import wsgi"], ["-m", "app"]])
def test_invalid_settings_end_the_process(command: list[str]) -> None:
    """Whatever is invalid is reported at once, with one line for each setting."""
    result = run(*command, SECRET_KEY="short", TRUSTED_PROXIES="many", WEB_CONCURRENCY="0")
    assert result.returncode == 1
    names = [line.split()[0] for line in result.stderr.splitlines()]
    assert names == ["SECRET_KEY", "TRUSTED_PROXIES", "WEB_CONCURRENCY"]
