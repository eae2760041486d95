"""Answers to the prompts: other ones than the defaults, hostile ones, and random ones.

The random names and slugs are made without the hook's patterns.
"""

import string
from itertools import combinations
from typing import Any

from hypothesis import strategies as st

from tests.support.hooks import PRE_GEN
from tests.support.template import CONTEXT, PROMPTS, files_naming

HOSTILE = ("'", '"', "\\", "'''", '"""', "{{ 7*7 }}", "{% raw %}", "{#", "$(id)", "`id`", "%s", "#")
EXAMPLES = {key: example for key, _, _, example in PRE_GEN.RULES}


def choices(key: str) -> list[Any]:
    """Return the answers that a prompt offers, with the default first, and none for a text."""
    default = CONTEXT[key]
    if isinstance(default, bool):
        return [default, not default]
    return default if isinstance(default, list) else []


CHOICES = {key: choices(key) for key in PROMPTS if choices(key)}
OTHERS = {key: CHOICES[key][-1] if key in CHOICES else EXAMPLES[key] for key in PROMPTS}
FILES = {key: files_naming(f"cookiecutter.{key}") for key in PROMPTS}  # which use an answer
PAIRS = [(one, other) for one, other in combinations(PROMPTS, 2) if FILES[one] & FILES[other]]
SELECTIONS: list[tuple[str, ...]] = [(), *combinations(PROMPTS, 1), *PAIRS]


def title(selection: tuple[str, ...]) -> str:
    """Return the name of a selection of prompts."""
    return "+".join(selection) or "default"


allowed = st.characters(exclude_categories=("Cc", "Zl", "Zp", "Cs"))
forbidden = st.characters(categories=("Cc", "Zl", "Zp", "Cs"))
pieces = st.lists(st.sampled_from(HOSTILE) | allowed, min_size=1, max_size=60)
names = pieces.map("".join).filter(lambda name: name.strip() and len(name) <= 60)
bad_names = st.one_of(
    st.text(" \t\u2003", max_size=5),
    st.text(allowed, min_size=61, max_size=80),
    st.builds("a{}b".format, forbidden),
)
letters = st.sampled_from(string.ascii_lowercase)
slugs = st.builds(
    str.__add__, letters, st.text(f"{string.ascii_lowercase}{string.digits}-", max_size=49)
)
dsns = st.from_regex(PRE_GEN.DSN, fullmatch=True).filter(PRE_GEN.is_dsn)
releases = st.from_regex(PRE_GEN.RELEASE, fullmatch=True)
images = st.from_regex(PRE_GEN.IMAGE, fullmatch=True).filter(lambda image: len(image) <= 255)

examples = {key: st.just(example) for key, example in EXAMPLES.items()}
texts = examples | {
    "project_name": names,
    "project_slug": slugs,
    "sentry_dsn": st.just("") | dsns,
    "release": releases,
    "docker_image": images,
}
legal_answers = st.fixed_dictionaries(
    {key: st.sampled_from(CHOICES[key]) if key in CHOICES else texts[key] for key in PROMPTS}
)
