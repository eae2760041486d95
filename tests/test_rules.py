"""The rules of the pre-gen hook, and the tools that must accept every legal answer."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from sentry_relay.processing import parse_release
from sentry_sdk.utils import Dsn

from tests.support.answers import EXAMPLES, bad_names, dsns, names, releases, slugs
from tests.support.hooks import PRE_GEN
from tests.support.template import ANSWERS, CONTEXT, DSN

# Answers without whitespace are written as the words of a text.
LEGAL = {
    "project_name": ["M", "a" * 60, "é" * 60, "'\"\\{}'''", "a]b[c", "👩‍👩‍👧", "بلوق", " Blog "],
    "project_slug": ["a", "a-", "a--b", "blog2", "console", "com10", "a" * 50],
    "sentry_dsn": [
        *["", "   ", f" {DSN}\n", "https://a_b-C:s_e-C@o1.ingest.us.sentry.io/4501234567890123"],
        *"https://key@sentry.io/1 https://key@sentry.example.com/path/to/sentry/7".split(),
        *"http://key@localhost:9000/1 http://key@10.0.0.1:1/1 https://key@a.de:65535/1".split(),
    ],
    "release": "0.0.0 1.2.3 10.20.30 1.2.3-rc.1 1.2.3-alpha 1.2.3-b2 20261122.0.0".split(),
    "docker_image": [
        *"blog org/blog a--b a__b.c-d ghcr.io/org/blog localhost:5000/blog".split(),
        *["registry.example.com:443/group/sub/blog", "a" * 255],
    ],
}
CONTROLS = ["a\nb", "a\n", "\x00", "\x7f", "a\u2028b", "a\u2029b", "\ud800"]
NO_PROJECTS = ["", "/", "/1/", "//1", "/project", "/-1", "/1_000", "/٣", "/" + "1" * 5000]
NO_PORTS = ["", "0", "65536", "99999"]
ILLEGAL = {
    "project_name": ["", " ", "\u2003", "a" * 61, *CONTROLS],
    "project_slug": [
        *["", "a b", "a\n", "a" * 51],
        *"A 9a -a a_b é con lpt1 . ../a a/b ٣".split(),
    ],
    "sentry_dsn": [
        *"x sentry.io //key@sentry.io/1 ftp://key@sentry.io/1 https://sentry.io/1".split(),
        *"https://@sentry.io/1 https://:secret@sentry.io/1 https://key:@sentry.io/1".split(),
        *"https://k$y@sentry.io/1 https://key@/1 https://key@-/1 https://key@[::1]/1".split(),
        *"https://key@exa_mple.com/1 https://key@münchen.de/1".split(),
        *[f"https://key@sentry.io{path}" for path in NO_PROJECTS],
        *[f"https://key@sentry.io:{port}/1" for port in NO_PORTS],
        *[f"https://key@sentry.io{end}" for end in ("/$HOME/1", "/1?x=1", "/1#x", "/1 x")],
        "https://key@sentry.io/1\nSECRET_KEY=x",
    ],
    "release": [
        *["", "1.2.3\n", " 1.2.3"],
        *"1 1.2 1.2.3.4 v1.2.3 01.2.3 1.2.3+build 1.2.3rc1 1.2.3-rc.01 1.2.3-nightly".split(),
        *"1.2.3-1 ١.٢.٣ latest 9999999999.0.0".split(),
    ],
    "docker_image": [
        *["", "blog\n", "a" * 256],
        *"Blog blog:latest blog@sha256:abc -blog blog- a..b a___b /blog blog/ a//b a/b/c".split(),
        *"ghcr.io:x/blog https://ghcr.io/blog blög".split(),
    ],
}

RULED = [rule[0] for rule in PRE_GEN.RULES]


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Return a table as pairs of a key and one answer."""
    return [(key, answer) for key, answers in table.items() for answer in answers]


def faulty_keys(**answers: object) -> list[str]:
    """Return the keys of the illegal answers, where all other answers are the defaults."""
    return [fault.split(":")[0] for fault in PRE_GEN.find_faults(ANSWERS | answers)]


@pytest.mark.parametrize(("key", "answer"), cases(LEGAL))
def test_legal_answers_pass(key: str, answer: str) -> None:
    """The hook accepts a legal answer."""
    assert faulty_keys(**{key: answer}) == []


@pytest.mark.parametrize(("key", "answer"), cases(ILLEGAL))
def test_illegal_answers_are_refused(key: str, answer: str) -> None:
    """The hook reports an illegal answer once, under its own key."""
    assert faulty_keys(**{key: answer}) == [key]


@pytest.mark.parametrize("key", RULED)
@pytest.mark.parametrize("answer", [None, True, 1, {}])
def test_answers_that_are_no_text_are_refused(key: str, answer: object) -> None:
    """The hook refuses an answer that is not a string; a user's configuration may have one."""
    assert faulty_keys(**{key: answer}) == [key]


@pytest.mark.parametrize("key", RULED)
@pytest.mark.parametrize("unit", ["a", "a-", "a/", "a.", "1.", "https://a@a/"])
def test_long_answers_are_refused_quickly(key: str, unit: str) -> None:
    """An answer of 24,000 characters is refused within a second of CPU time."""
    answer = unit * (24_000 // len(unit)) + "!"
    start = time.process_time()
    assert faulty_keys(**{key: answer}) == [key]
    assert time.process_time() - start < 1


@given(names, slugs)
def test_any_legal_name_and_slug_pass(name: str, slug: str) -> None:
    """The hook accepts every legal name and slug, in any script."""
    assert faulty_keys(project_name=name, project_slug=slug) == []


@given(bad_names)
def test_any_illegal_name_is_refused(name: str) -> None:
    """The hook refuses every name that is blank, too long, or has a control character."""
    assert faulty_keys(project_name=name) == ["project_name"]


@given(dsns)
def test_every_legal_dsn_works(dsn: str) -> None:
    """The SDK accepts a legal DSN, and no shell, Compose or python-dotenv expands it."""
    assert Dsn(dsn).project_id.isdigit()
    assert re.fullmatch(r"[\w:/@.~-]+", dsn, re.ASCII)


@given(releases)
def test_every_legal_release_works(release: str) -> None:
    """Sentry and Python's packaging tools order a legal release; it is a tag for Docker."""
    numbers = release.split("-")[0]
    version = parse_release(f"microblog@{release}")["version_parsed"]
    assert ".".join(str(version[part]) for part in ("major", "minor", "patch")) == numbers
    assert Version(release).base_version == numbers
    assert re.fullmatch(r"\w[\w.-]{0,127}", release, re.ASCII)


def test_examples_are_legal() -> None:
    """The example in an error message is a legal answer."""
    assert faulty_keys(**EXAMPLES) == []


def test_every_switch_is_checked() -> None:
    """The hook checks each prompt that takes yes or no."""
    assert {key for key in ANSWERS if isinstance(CONTEXT[key], bool)} == set(PRE_GEN.SWITCHES)


def test_every_free_answer_has_a_rule() -> None:
    """Each prompt that takes any text has a rule."""
    assert {key for key in ANSWERS if isinstance(CONTEXT[key], str)} == set(RULED)


def test_all_faults_are_reported() -> None:
    """One run reports all illegal answers."""
    assert faulty_keys(**{key: answers[1] for key, answers in ILLEGAL.items()}) == list(ILLEGAL)


@given(st.sampled_from(RULED), st.text(st.characters(codec=None)))
def test_messages_do_not_contain_the_answer(key: str, answer: str) -> None:
    """The hook refuses an answer with a message that does not contain it: a DSN is secret."""
    fixed = {PRE_GEN.find_faults(ANSWERS | {key: wrong})[0] for wrong in (None, "a\ud800")}
    assert set(PRE_GEN.find_faults(ANSWERS | {key: answer})) <= fixed


def test_image_is_not_blamed_for_the_slug() -> None:
    """An illegal slug is reported once, although the default image contains it."""
    assert faulty_keys(project_slug="Foo Bar", docker_image="Foo Bar") == ["project_slug"]
