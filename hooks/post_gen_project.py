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
# What an option brings, by folder. A bake over a project keeps what its owner has added there.
PARTS = {
    "microblog": """\
app/blog/templates/blog account_links.html base.html delete_post.html edit_profile.html explore.html
app/blog/templates/blog front.html index.html macros.html navigation.html people.html
app/blog/templates/blog post.html user.html
app/blog/static blog.css blog.js
app/blog __init__.py forms.py models.py pagination.py queries.py routes.py seed.py seed.toml text.py
migrations/versions 0002_blog.py
tests/blog __init__.py conftest.py test_models.py test_pages.py test_pagination.py test_queries.py
tests/blog test_races.py test_routes.py test_seed.py test_text.py""",
    "browser_tracing": """\
app/sentry/browser/templates/browser broken_button.html crash_form.html head.html
app/sentry/browser __init__.py routes.py
app/static .gitignore
browser .gitignore .npmrc client.js main.js package-lock.json package.json
browser requirements.in requirements.txt scrubbing.js
tests/sentry/browser __init__.py test_routes.py""",
}
NEXT = """
Your project is in {path}

    cd {path}
    git init                     # then make install adds the hooks that check each commit
    make seed                    # sample users and posts; the first run takes a minute
    make run                     # or: docker compose up --build

{sentry}
"""


def write_env(dsn: str) -> str:
    """Write `.env` unless there is one, and return what that means for Sentry."""
    values = {name: os.urandom(32).hex() for name in ("SECRET_KEY", "POSTGRES_PASSWORD")}
    try:
        with open(".env.example", encoding="utf-8") as file:
            env = file.read()
        for name, value in {**values, "SENTRY_DSN": dsn}.items():
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


def remove(part: str) -> None:
    """Remove the files of a part, and the folders that are empty then."""
    for folder, *names in map(str.split, part.split("\n")):
        with suppress(OSError):  # the folder has other files
            for name in names:
                os.unlink(f"{folder}/{name}")
            os.removedirs(folder)


def main(answers: dict[str, str | bool]) -> None:
    """Finish the project, and remove this rendered copy, which contains the DSN."""
    os.unlink(__file__)
    for option, part in PARTS.items():
        if not answers[option]:
            remove(part)
    sentry = write_env(str(answers["sentry_dsn"]).strip())
    folder, text = os.getcwd(), NEXT if answers["microblog"] else re.sub(".*seed.*\n", "", NEXT)
    if "_output_dir" not in answers and re.search(r"[/\\]tmp\w{8}$", os.path.dirname(folder)):
        return  # cruft check, diff and update only compare with this bake
    with suppress(OSError):  # Cookiecutter would remove the project of a failed hook
        os.write(1, os.fsencode(text.format(path=shlex.quote(folder), sentry=sentry)))


if __name__ == "__main__":
    # tojson escapes each ', so that no answer can end this string. The second tag removes the DSN
    # from Cookiecutter's memory, because cruft saves the answers in .cruft.json after this hook.
    # fmt: off
    main(json.loads(r'''{{ cookiecutter | tojson }}{% set _ = cookiecutter.pop("sentry_dsn") %}'''))
