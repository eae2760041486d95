"""Write `.env` with the DSN and new secrets, and print what comes next."""

# Every bake waits for this: pathlib and secrets would take longer to import than all else here.
import sys

sys.path.pop(0)  # the temporary folder, where others may have put a json.py

import json
import os
import re
import shlex
from contextlib import suppress

ON = "Sentry is on, because .env has SENTRY_DSN: open /broken_route to see it catch the error."
OFF = "Sentry is off. To switch it on, put your DSN after SENTRY_DSN= in .env."
KEPT = ".env existed before and is unchanged."
NOT_WRITTEN = f"{KEPT} The DSN you gave was not written: put it after SENTRY_DSN= in .env."
FAILED = "Could not write .env ({}). Run make env, then put your DSN after SENTRY_DSN= in .env."
BROWSER_FILES = (
    "app/browser.py",
    "app/static/.gitignore",
    "app/templates/browser/broken_button.html",
    "app/templates/browser/feedback.html",
    "app/templates/browser/head.html",
    "browser/.gitignore",
    "browser/.npmrc",
    "browser/main.js",
    "browser/package-lock.json",
    "browser/package.json",
    "browser/requirements.in",
    "browser/requirements.txt",
    "browser/scrubbing.js",
    "tests/integration/test_browser.py",
)
NEXT = """
Your project is in {path}

    cd {path}
    git init
    make seed                    # sample users and posts; prints a login
    make run                     # or: docker compose up --build

{sentry}
"""


def write_env(dsn: str) -> str:
    """Write `.env` unless there is one, and return what that means for Sentry."""
    values = {"SENTRY_DSN": dsn}
    values |= {name: os.urandom(32).hex() for name in ("SECRET_KEY", "POSTGRES_PASSWORD")}
    try:
        with open(".env.example", encoding="utf-8") as file:
            env = file.read()
        for name, value in values.items():
            env = re.sub(rf"^{name}=$", f"{name}={value}", env, flags=re.M)
        descriptor = os.open(".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return NOT_WRITTEN if dsn else KEPT
    except OSError as error:
        return FAILED.format(error.strerror)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(env)
    except OSError as error:
        os.unlink(".env")  # make env writes one only where there is none
        return FAILED.format(error.strerror)
    return ON if dsn else OFF


def remove(files: tuple[str, ...]) -> None:
    """Remove the files, and their folders unless they contain anything else."""
    for file in files:
        with suppress(OSError):
            os.unlink(file)
            os.rmdir(os.path.dirname(file))


def say(message: str) -> None:
    """Print a message; ignore errors, because Cookiecutter removes the project of a failed hook."""
    with suppress(OSError):
        os.write(1, os.fsencode(message))


def main(answers: dict[str, str | bool]) -> None:
    """Finish the project, and remove this rendered copy, which contains the DSN."""
    os.unlink(__file__)
    if not answers["browser_tracing"]:
        remove(BROWSER_FILES)
    sentry = write_env(str(answers["sentry_dsn"]).strip())
    say(NEXT.format(path=shlex.quote(os.getcwd()), sentry=sentry))


if __name__ == "__main__":
    # tojson escapes each ', so that no answer can end this string. The second tag removes the DSN
    # from Cookiecutter's memory, because cruft saves the answers in .cruft.json after this hook.
    # fmt: off
    main(json.loads(r'''{{ cookiecutter | tojson }}{% set _ = cookiecutter.pop("sentry_dsn") %}'''))
