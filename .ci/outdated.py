"""List the pins that are behind, the age of the newest release, and who holds a pin back."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

from packaging.version import Version

TEMPLATE = Path(__file__).parents[1]
COPY = TEMPLATE / "build/outdated"
LOCKS = ("requirements.txt", "{{*/*/*.txt")
NPM = ("{{*/browser/package.json", "{{*/bin/spotlight", "bench/pictures.py", "tests/test_pages.py")
NPM_PIN = r'(@?[a-z][\w./-]+)(?:@|": ")(\d+\.\d+\.\d+)\b'
IMAGES = ("{{*/Dockerfile", "{{*/compose.yaml", "{{*/deploy/*.yaml")
IMAGE = r"^(?:FROM| +image:) ([a-z]+):(?:\$\{\w+:-)?([\d.]+[\w.-]*)"  # of Docker Hub
WORKFLOWS = (".github/workflows/*.yml", "{{*/.github/workflows/*.yml")
ACTION = r"uses: ([\w-]+/[\w-]+)@\w+ # v(\S+)"
DOCKER_AUTH = (
    "https://auth.docker.io/token?service=registry.docker.io&scope=repository:library/{}:pull"
)
DOCKER_TAGS = "https://registry-1.docker.io/v2/library/{}/tags/list"
GITHUB = "https://api.github.com/repos/{}/releases/latest"

Release = tuple[str, str]  # a version, and when it was released


def report(name: str, pin: str, newest: Release, where: str, held: str = "") -> None:
    """Print a line if a pin is behind."""
    version, released = newest
    if version != pin:
        age = datetime.now(UTC) - datetime.fromisoformat(released) if released else None
        days = f"{age.days:4} days old" if age else " " * 13
        print(f"{name:24} {pin:14} {version:14} {days}  {where}{held and f', held: {held}'}")


def find(patterns: tuple[str, ...], pin: str) -> Iterator[tuple[str, str, str, str]]:
    """Return the name, the version, the file and its text of each pin in files."""
    for path in (path for pattern in patterns for path in sorted(TEMPLATE.glob(pattern))):
        text = path.read_text("utf-8")
        for name, version in sorted(set(re.findall(pin, text, re.M))):
            yield name, version, str(path.relative_to(TEMPLATE)), text


def ask(
    registry: str, newest: Callable[[str, str], Release], files: tuple[str, ...], pin: str
) -> None:
    """Compare pins with a registry, or say that it does not respond."""
    try:
        for name, version, where, text in find(files, pin):
            comments = re.findall(rf"# (.*\b{re.escape(name)}\b.*)", text, re.I)
            report(name, version, newest(name, version), where, " ".join(comments))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"{registry} could not be asked: {error}")


def of_npm(name: str, _: str) -> Release:
    """Return the newest release of an npm package."""
    command = ("npm", "view", name, "version", "time", "--json")
    shown = json.loads(subprocess.check_output(command, text=True, stderr=subprocess.DEVNULL))
    return shown["version"], shown["time"][shown["version"]]


def of_github(name: str, _: str) -> Release:
    """Return the newest release of an action."""
    with urlopen(GITHUB.format(name), timeout=10) as response:
        release = json.load(response)
    return release["tag_name"].removeprefix("v"), release["published_at"]


def of_docker(name: str, pin: str) -> Release:
    """Return the newest tag of an image that looks like its pin; a tag has no date."""
    with urlopen(DOCKER_AUTH.format(name), timeout=10) as response:
        headers = {"Authorization": f"Bearer {json.load(response)['token']}"}
    with urlopen(Request(DOCKER_TAGS.format(name), headers=headers), timeout=10) as response:
        tags = json.load(response)["tags"]
    like = re.compile(re.sub(r"\d+", r"\\d+", re.escape(pin)))
    alike = (tag for tag in tags if like.fullmatch(tag))
    return max(alike, key=lambda tag: [int(n) for n in re.findall(r"\d+", tag)]), ""


def pins(lock: Path) -> dict[str, Release]:
    """Return the newest version of each package in a lock, and which packages need it."""
    parts = re.findall(
        r"^([\w.-]+)(?:\[.*?\])?==(\S+)((?:.*\n(?=[ #]))*.*)", lock.read_text(), re.M
    )
    found = sorted(parts, key=lambda part: Version(part[1]))
    return {
        name: (version, " or ".join(re.findall(r"^ +#(?: via)? +(?!via$)(\S.*)", rest, re.M)))
        for name, version, rest in found
    }


def of_pypi(uv: str, names: set[str]) -> dict[str, Release]:
    """Return the newest release of each package, whatever the others need."""
    command = (uv, "pip", "compile", "--quiet", "--universal", "--no-deps", "-")
    options = ("--python-version", "3.11", "--format", "pylock.toml")
    pylock = subprocess.check_output((*command, *options), input="\n".join(names), text=True)
    packages = sorted(tomllib.loads(pylock)["packages"], key=lambda p: Version(p["version"]))
    return {
        package["name"]: (package["version"], str(file["upload-time"]))
        for package in packages
        for file in [package["wheels"][0] if "wheels" in package else package["sdist"]]
    }


def main(uv: str) -> None:
    """Compare Python's pins with the newest ones and with a new lock, and then the others."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    archive = subprocess.check_output(("git", "archive", "HEAD"), cwd=TEMPLATE)
    subprocess.run(("tar", "-x"), input=archive, cwd=COPY, check=True)
    subprocess.run((COPY / ".ci/lock", uv), check=True)
    locks = [path for pattern in LOCKS for path in sorted(COPY.glob(pattern))]
    newest = of_pypi(uv, {name for lock in locks for name in pins(lock)})
    for lock in locks:
        where, new = lock.relative_to(COPY), pins(lock)
        for name, (pin, _) in sorted(pins(TEMPLATE / where).items()):
            version, needed_by = new.get(name, (pin, "nobody"))
            held = "" if version == newest[name][0] else f"by {needed_by}"
            report(name, pin, newest[name], str(where), held)
    shutil.rmtree(COPY)
    ask("npm", of_npm, NPM, NPM_PIN)
    ask("GitHub", of_github, WORKFLOWS, ACTION)
    ask("Docker Hub", of_docker, IMAGES, IMAGE)


if __name__ == "__main__":
    main(sys.argv[1])
