"""How the app starts."""

import pytest

from tests.conftest import run


@pytest.mark.parametrize("command", [["-c", "import wsgi"], ["-m", "app"]])
def test_invalid_settings_end_the_process(command: list[str]) -> None:
    """Whatever is invalid is reported at once, with one line for each setting."""
    result = run(*command, SECRET_KEY="short", TRUSTED_PROXIES="many", WEB_CONCURRENCY="0")
    assert result.returncode == 1
    names = [line.split()[0] for line in result.stderr.splitlines()]
    assert names == ["SECRET_KEY", "TRUSTED_PROXIES", "WEB_CONCURRENCY"]
