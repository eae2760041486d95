"""Refuse bad answers before a file is written, and blank the DSN where Cookiecutter noted it."""

import json
import os
import re
import sys
import unicodedata
from pathlib import Path

NUMBER = r"(0|[1-9]\d{0,8})"
PART = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
HOST = rf"({PART}\.{PART}(:\d+)?|{PART}:\d+)"

SLUG = re.compile(r"[a-z][a-z0-9-]{0,49}")
RELEASE = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(-(a|alpha|b|beta|rc)(\.?{NUMBER})?)?", re.A)
IMAGE = re.compile(rf"(?!.{{256}})({HOST}/({PART}/)*|({PART}/)?){PART}", re.A)
DSN = re.compile(
    r"https?://[\w-]+(:[\w-]+)?@[a-zA-Z\d][a-zA-Z\d.-]*(:(?P<port>[1-9]\d{0,4}))?"
    r"(/[\w.~-]+)*/\d{1,19}",
    re.A,
)
REPLAY_DIR = re.compile(r"""replay_dir["']?\s*:\s*(["']?)(.+?)\1\s*(,\s|\s#|}|$)""", re.M)


def is_name(value: str) -> bool:
    """Tell whether the value is one line of at most 60 characters that shows something."""
    kinds = {unicodedata.category(char) for char in value}
    return bool(value.strip()) and len(value) <= 60 and kinds.isdisjoint({"Cc", "Zl", "Zp", "Cs"})


def is_dsn(value: str) -> bool:
    """Tell whether the value is empty or a DSN that can stand unquoted in `.env`."""
    match = DSN.fullmatch(value.strip())
    return not value.strip() or (match is not None and int(match["port"] or 1) <= 65535)


RULES = (
    ("project_name", is_name, "1 to 60 characters without line breaks", "My Microblog"),
    ("project_slug", SLUG.fullmatch, "a letter, then a-z, 0-9 or -, at most 50", "my-microblog"),
    ("sentry_dsn", is_dsn, "empty or a DSN", "https://public_key@o1.ingest.sentry.io/2"),
    ("release", RELEASE.fullmatch, "MAJOR.MINOR.PATCH or a pre-release of it", "1.2.3-rc.1"),
    ("docker_image", IMAGE.fullmatch, "a lower-case repository without a tag", "org/microblog"),
)


def find_faults(answers: dict[str, object]) -> list[str]:
    """Return a line for each answer that breaks its rule; it never repeats the answer."""
    return [
        f"{key}: must be {rule}, for example {example}"
        for key, is_legal, rule, example in RULES
        if not (isinstance(value := answers[key], str) and is_legal(value))
        and (key, value) != ("docker_image", str(answers["project_slug"]).rstrip("-"))  # said there
    ]


def replay_folders() -> list[Path]:
    """Return the folders where Cookiecutter may have noted the answers."""
    start = Path(os.environ.get("PWD", ""))  # the hook's own folder is the new project
    config = Path(os.environ.get("COOKIECUTTER_CONFIG") or Path.home() / ".cookiecutterrc")
    folders = ["~/.cookiecutter_replay"]
    if (start / config).is_file():
        folders += [match[2] for match in REPLAY_DIR.finditer((start / config).read_text("utf-8"))]
    return [start / Path(os.path.expandvars(folder)).expanduser() for folder in folders]


def forget_dsn(dsn: object) -> None:
    """Blank the DSN in the replay file, which everybody may read."""
    noted, entry = f'"sentry_dsn": {json.dumps(dsn)}', r'"sentry_dsn": "(\\.|[^"\\])*"'
    for path in (file for folder in replay_folders() for file in folder.glob("*.json")):
        try:
            replay = path.read_text("utf-8")
            if noted in replay:
                path.write_text(re.sub(entry, '"sentry_dsn": ""', replay), "utf-8")
        except (OSError, ValueError) as error:
            print(f"sentry_dsn: may still stand in {path} ({error})", file=sys.stderr)


def remove_folders(output_dir: Path, slug: str) -> None:
    """Remove the folders that a slug with slashes made: Cookiecutter knows of the last only."""
    made, kept = output_dir / slug, {output_dir.resolve(), *output_dir.resolve().parents}
    for folder in (made, *made.parents):
        if folder.resolve() not in kept and not any(folder.iterdir()):
            folder.rmdir()


def main(answers: dict[str, object]) -> None:
    """Check the answers; leave neither this rendered copy nor the DSN behind."""
    Path(__file__).unlink()
    if answers["sentry_dsn"]:
        forget_dsn(answers["sentry_dsn"])
    if faults := find_faults(answers):
        if "/" in (slug := str(answers["project_slug"])) and "_output_dir" in answers:
            remove_folders(Path(str(answers["_output_dir"])), slug)
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    # tojson escapes each ', so no answer can end this string.
    main(json.loads(r'''{{ cookiecutter | tojson }}'''))  # fmt: skip
