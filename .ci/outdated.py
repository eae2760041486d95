"""List the pins that are behind the newest releases, and by how many days (`make outdated`)."""

import shutil
import subprocess
import sys
import tomllib
from datetime import datetime
from pathlib import Path

TEMPLATE = Path(__file__).parents[1]
COPY = TEMPLATE / "build/outdated"
LOCKS = ("requirements.txt", "{{*/*/*.txt")


def releases(uv: str, lock: Path) -> dict[tuple[str, str], datetime]:
    """Return when each pin of a lock was released, which uv writes in the format pylock.toml."""
    compile_pins = (uv, "pip", "compile", "--quiet", "--universal", "--no-deps", lock)
    options = ("--python-version", "3.11", "--format", "pylock.toml")
    pylock = subprocess.check_output((*compile_pins, *options), text=True)
    return {
        (package["name"], package["version"]): file["upload-time"]
        for package in tomllib.loads(pylock)["packages"]
        for file in [package["wheels"][0] if "wheels" in package else package["sdist"]]
    }


def main(uv: str) -> None:
    """Pin the newest releases in a copy of what is committed, and compare."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    archive = subprocess.check_output(("git", "archive", "HEAD"), cwd=TEMPLATE)
    subprocess.run(("tar", "-x"), input=archive, cwd=COPY, check=True)
    subprocess.run((COPY / ".ci/lock", uv), check=True)
    for lock in (path for pattern in LOCKS for path in sorted(COPY.glob(pattern))):
        name = lock.relative_to(COPY)
        old, new = releases(uv, TEMPLATE / name), releases(uv, lock)
        for package, version in sorted(old.keys() - new.keys()):
            for newest in (newest for other, newest in new.keys() - old.keys() if other == package):
                days = (new[package, newest] - old[package, version]).days
                print(f"{package:24} {version:14} {newest:14} {days:4} days  {name}")
    shutil.rmtree(COPY)


if __name__ == "__main__":
    main(sys.argv[1])
