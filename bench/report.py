"""Tables that a person reads as Markdown, and a program as JSON."""

import json
import os
import platform
import re
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.template import BODY

RESULTS = Path(__file__).with_name("results.json")
PACKAGES = ("flask", "gunicorn", "sentry-sdk", "sqlalchemy")


@dataclass
class Table:
    """What a benchmark measured."""

    title: str
    columns: list[str]
    rows: list[list[str]]

    def __str__(self) -> str:
        """Return the table as Markdown."""
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        return f"\n{self.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def progress(text: str) -> None:
    """Print progress to standard error, so that standard output has the tables only."""
    print(f"{text} ...", file=sys.stderr, flush=True)


def save(name: str, tables: list[Table]) -> None:
    """Write the tables of a benchmark, and the machine, in place of those of an earlier run."""
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    results[name] = {"machine": machine(), "tables": [asdict(table) for table in tables]}
    RESULTS.write_text(json.dumps(results, indent=2, sort_keys=True) + "\n", "utf-8")


def machine() -> dict[str, str]:
    """Return what the figures depend on: processor, Python, and the versions of packages."""
    [model, *_] = re.findall(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text("utf-8"))
    lock = (BODY / "requirements/prod.txt").read_text("utf-8")
    versions = {name: re.findall(rf"^{name}(?:\[.*\])?==(\S+)", lock, re.M)[0] for name in PACKAGES}
    return {
        "processor": f"{os.cpu_count()} x {model}",
        "python": platform.python_version(),
        **versions,
    }
