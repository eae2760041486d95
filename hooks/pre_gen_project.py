"""Refuse invalid answers before a file is written, and blank the DSN in the replay file."""

import sys

sys.path.pop(0)  # the temporary folder, where others may have put a json.py
import json
import os
import re
import shlex
from pathlib import Path

LONGEST = 255  # a pattern could take minutes to refuse a much longer answer
NUMBER = r"(0|[1-9]\d{0,8})"
PART = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
NAME = re.compile(r"(?=.*\S)[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,60}")
# Cookiecutter makes the folder before this hook runs, and deletes it after a refusal. A slug could
# name one that is in use, so `__safe_names` in cookiecutter.json replaces `..` and `/` in it.
SLUG = re.compile(r"(?!(con|prn|aux|nul|(com|lpt)\d)$)[a-z][a-z0-9-]{0,49}")
RELEASE = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(-(a|alpha|b|beta|rc)(\.?{NUMBER})?)?", re.A)
IMAGE = re.compile(rf"(({PART}\.{PART}(:\d+)?|{PART}:\d+)/({PART}/)*|({PART}/)?){PART}", re.A)
DSN = r"(?a)https?://[\w-]+(:[\w-]+)?@(?i:[a-z\d][a-z\d.-]*)(:([1-9]\d{0,4}))?(/[\w.~-]+)*/\d{1,19}"
REPLAY_DIR = re.compile(r"""replay_dir["']?\s*:\s*(["']?)(.+?)\1\s*(,\s|\s#|}|$)""", re.M)


def is_dsn(value: str) -> bool:
    """Tell whether the value is empty or a DSN that needs no quotes in `.env`."""
    match = re.fullmatch(DSN, value.strip())
    return not value.strip() or (match is not None and int(match[3] or 1) <= 65535)


SWITCHES = ("microblog", "browser_tracing")
SWITCH_RULE = "must be yes or no, which Cookiecutter reads from version 2.2 on"
SLUG_RULE = "a letter, then a-z, 0-9 or -, at most 50, and no Windows device such as con"
RULES = (
    ("project_name", NAME.fullmatch, "1 to 60 characters without line breaks", "My Microblog"),
    ("project_slug", SLUG.fullmatch, SLUG_RULE, "my-microblog"),
    ("sentry_dsn", is_dsn, "empty or a DSN", "https://public_key@o1.ingest.sentry.io/2"),
    ("release", RELEASE.fullmatch, "MAJOR.MINOR.PATCH or a pre-release of it", "1.2.3-rc.1"),
    ("docker_image", IMAGE.fullmatch, "a lower-case repository without a tag", "org/microblog"),
)


def find_faults(answers: dict[str, object]) -> list[str]:
    """Return a line for each invalid answer; no line contains the answer."""
    faults = [f"{key}: {SWITCH_RULE}" for key in SWITCHES if not isinstance(answers[key], bool)]
    for key, is_valid, expected, example in RULES:
        value = answers[key]
        if (key, value) == ("docker_image", str(answers["project_slug"]).rstrip("-")):
            continue  # the default image is made of the slug, which has its own rule
        if not isinstance(value, str) or len(value) > LONGEST or not is_valid(value):
            faults.append(f"{key}: must be {expected}, for example {example}")
        elif re.search("[\ud800-\udfff]", value):  # Python reads undecodable bytes as these
            faults.append(f"{key}: is not readable as UTF-8; repeat the command with PYTHONUTF8=1")
    return faults


def replay_folders() -> list[Path]:
    """Return the folders in which Cookiecutter may have saved the answers."""
    start = Path(os.environ.get("PWD", ""))  # the hook's current folder is the new project
    config = start / (os.environ.get("COOKIECUTTER_CONFIG") or Path.home() / ".cookiecutterrc")
    text = config.read_text("utf-8") if config.is_file() else ""
    folders = ["~/.cookiecutter_replay", *(match[2] for match in REPLAY_DIR.finditer(text))]
    return [start / Path(os.path.expandvars(folder)).expanduser() for folder in folders]


def forget_dsn(dsn: object) -> None:
    """Blank the DSN in the replay file, which every user of the machine can read."""
    saved, entry = f'"sentry_dsn": {json.dumps(dsn)}', r'"sentry_dsn": "(\\.|[^"\\])*"'
    for path in (f for folder in (replay_folders() if dsn else ()) for f in folder.glob("*.json")):
        try:
            replay = path.read_text("utf-8")
            if saved in replay:
                path.write_text(re.sub(entry, '"sentry_dsn": ""', replay), "utf-8")
        except (OSError, ValueError) as error:
            print(f"sentry_dsn: {path} may still contain it ({error})", file=sys.stderr)


def main(answers: dict[str, object]) -> None:
    """Check the answers, and remove this rendered copy and the saved DSN."""
    Path(__file__).unlink()
    forget_dsn(answers["sentry_dsn"])
    if faults := find_faults(answers):
        if "_output_dir" in answers:  # cruft, which has none, takes answers as JSON
            bad = {"sentry_dsn", *(fault.split(":")[0] for fault in faults)}
            given = [f"{k}={v}" for k, v in answers.items() if k[0] != "_" and k not in bad]
            default = f"docker_image={str(answers['project_slug']).rstrip('-')}"
            given = [answer for answer in given if answer != default]
            safe = shlex.join(given).replace("{", "{" * 2 + '"{"' + "}" * 2)  # else it is rendered
            version = ["--checkout", str(answers["_checkout"])] if answers.get("_checkout") else []
            command = shlex.join(["uvx", "cookiecutter", str(answers["_template"]), *version])
            faults.append(f"To be asked again, with valid answers as defaults: {command} {safe}")
        sys.exit("\n".join(faults))


if __name__ == "__main__":
    # tojson escapes each ', so that no answer can end this string.
    main(json.loads(r'''{{ cookiecutter | tojson }}'''))  # fmt: skip
