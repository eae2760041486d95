"""The documents name every setting."""

import re

import pytest

from tests.conftest import ROOT


def variables_read() -> set[str]:
    """The environment variables that the code reads."""
    files = [*ROOT.joinpath("app").rglob("*.py"), ROOT / "gunicorn.conf.py"]
    reads = re.compile(r'(?:\bsetting\(|os\.environ\.get\(|os\.environ\[)\s*"([A-Z_]+)"')
    return {name for path in files for name in reads.findall(path.read_text(encoding="utf-8"))}


def variables_named(document: str, pattern: str) -> set[str]:
    """The variables that `document` names in places that look like `pattern`."""
    text = ROOT.joinpath(document).read_text(encoding="utf-8")
    return set(re.findall(pattern, text, re.MULTILINE))


@pytest.mark.parametrize(
    ("document", "pattern"),
    [(".env.example", r"^(?:# ?)?([A-Z_]+)="), ("README.md", r"^\|\s*`([A-Z_]+)`")],
)
def test_every_variable_is_documented(document: str, pattern: str) -> None:
    """Each variable has its line in the example and its row in the README."""
    assert variables_read() - variables_named(document, pattern) == set()


def test_code_is_searched() -> None:
    """The search above finds variables of both files."""
    assert {"SECRET_KEY", "SENTRY_LOGS", "WEB_CONCURRENCY"} <= variables_read()
