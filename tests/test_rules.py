"""The rules of the pre-gen hook, each both ways, and what the legal answers are legal for."""

import re

import pytest
from helpers import ANSWERS, DSN
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version
from pre_gen_project import DSN as DSN_RULE
from pre_gen_project import RELEASE, RULES, find_faults
from sentry_relay.processing import parse_release
from sentry_sdk.utils import Dsn
from strategies import bad_names, names, slugs

LEGAL = {
    "project_name": ["M", "a" * 60, "é" * 60, "'\"\\{}'''", "a]b[c", "👩‍👩‍👧", "بلوق", " Blog "],
    "project_slug": ["a", "a-", "a--b", "blog2", "a" * 50],
    "sentry_dsn": [
        "",
        "   ",
        f" {DSN}\n",
        "https://key@sentry.io/1",
        "https://a_b-C:s_e-C@o1.ingest.us.sentry.io/4501234567890123",
        "https://key@sentry.example.com/path/to/sentry/7",
        "http://key@localhost:9000/1",
        "http://key@10.0.0.1:1/1",
        "https://key@example.com:65535/1",
    ],
    "release": [
        "0.0.0",
        "1.2.3",
        "10.20.30",
        "1.2.3-rc.1",
        "1.2.3-alpha",
        "1.2.3-b2",
        "20261122.0.0",
    ],
    "docker_image": [
        "blog",
        "org/blog",
        "a--b",
        "a__b.c-d",
        "ghcr.io/org/blog",
        "localhost:5000/blog",
        "registry.example.com:443/group/sub/blog",
        "a" * 255,
    ],
}
ILLEGAL = {
    "project_name": [
        "",
        " ",
        "\u2003",
        "a" * 61,
        "a\nb",
        "a\n",
        "\x00",
        "\x7f",
        "a\u2028b",
        "a\u2029b",
        "\ud800",
    ],
    "project_slug": [
        "",
        "A",
        "9a",
        "-a",
        "a_b",
        "a b",
        "a\n",
        "é",
        "a" * 51,
        ".",
        "../a",
        "a/b",
        "٣",
    ],
    "sentry_dsn": [
        "x",
        "sentry.io",
        "//key@sentry.io/1",
        "ftp://key@sentry.io/1",
        "https://sentry.io/1",
        "https://@sentry.io/1",
        "https://:secret@sentry.io/1",
        "https://key:@sentry.io/1",
        "https://k$y@sentry.io/1",
        "https://key@/1",
        "https://key@-/1",
        "https://key@exa_mple.com/1",
        "https://key@münchen.de/1",
        "https://key@[::1]/1",
        "https://key@sentry.io",
        "https://key@sentry.io/",
        "https://key@sentry.io/1/",
        "https://key@sentry.io//1",
        "https://key@sentry.io/project",
        "https://key@sentry.io/-1",
        "https://key@sentry.io/1_000",
        "https://key@sentry.io/٣",
        "https://key@sentry.io/" + "1" * 5000,
        "https://key@sentry.io/$HOME/1",
        "https://key@sentry.io/1?x=1",
        "https://key@sentry.io/1#x",
        "https://key@sentry.io:/1",
        "https://key@sentry.io:0/1",
        "https://key@sentry.io:65536/1",
        "https://key@sentry.io:99999/1",
        "https://key@sentry.io/1\nSECRET_KEY=x",
        "https://key@sentry.io/1 x",
    ],
    "release": [
        "",
        "1",
        "1.2",
        "1.2.3.4",
        "v1.2.3",
        "01.2.3",
        "1.2.3\n",
        " 1.2.3",
        "1.2.3+build",
        "1.2.3rc1",
        "1.2.3-rc.01",
        "1.2.3-nightly",
        "1.2.3-1",
        "١.٢.٣",
        "latest",
        "9999999999.0.0",
    ],
    "docker_image": [
        "",
        "Blog",
        "blog:latest",
        "blog@sha256:abc",
        "-blog",
        "blog-",
        "a..b",
        "a___b",
        "/blog",
        "blog/",
        "a//b",
        "a/b/c",
        "ghcr.io:x/blog",
        "https://ghcr.io/blog",
        "blog\n",
        "blög",
        "a" * 256,
    ],
}


def cases(table: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Return the table as pairs of a key and one answer."""
    return [(key, answer) for key, answers in table.items() for answer in answers]


def faulty_keys(**answers: object) -> list[str]:
    """Return the keys that the hook finds fault with, all other answers being the default ones."""
    return [fault.split(":")[0] for fault in find_faults(ANSWERS | answers)]


@pytest.mark.parametrize(("key", "answer"), cases(LEGAL))
def test_legal_answers_pass(key: str, answer: str) -> None:
    """A legal answer gives no fault."""
    assert faulty_keys(**{key: answer}) == []


@pytest.mark.parametrize(("key", "answer"), cases(ILLEGAL))
def test_illegal_answers_are_refused(key: str, answer: str) -> None:
    """An illegal answer gives one fault, under its own key."""
    assert faulty_keys(**{key: answer}) == [key]


@pytest.mark.parametrize("key", LEGAL)
@pytest.mark.parametrize("answer", [None, True, 1, {}])
def test_answers_that_are_no_text_are_refused(key: str, answer: object) -> None:
    """A user's config file may hold anything that YAML can say."""
    assert faulty_keys(**{key: answer}) == [key]


@given(names, slugs)
def test_any_legal_name_and_slug_pass(name: str, slug: str) -> None:
    """Whatever the alphabet, a legal name and a legal slug give no fault."""
    assert faulty_keys(project_name=name, project_slug=slug) == []


@given(bad_names)
def test_any_illegal_name_is_refused(name: str) -> None:
    """A blank or long name and one with a control character is never let through."""
    assert faulty_keys(project_name=name) == ["project_name"]


@given(st.from_regex(DSN_RULE, fullmatch=True).filter(lambda dsn: not faulty_keys(sentry_dsn=dsn)))
def test_sdk_takes_every_legal_dsn(dsn: str) -> None:
    """What the hook lets through is a DSN to the SDK too."""
    assert Dsn(dsn).project_id.isdigit()


@given(st.from_regex(DSN_RULE, fullmatch=True))
def test_legal_dsns_need_no_quotes(dsn: str) -> None:
    """Shells, Compose and python-dotenv read a DSN in `.env` as it stands."""
    assert re.fullmatch(r"[\w:/@.~-]+", dsn, re.ASCII)


@given(st.from_regex(RELEASE, fullmatch=True))
def test_sentry_orders_every_legal_release(release: str) -> None:
    """Sentry reads a legal release as a version, number by number."""
    version = parse_release(f"microblog@{release}")["version_parsed"]
    assert [version[part] for part in ("major", "minor", "patch")] == [
        int(number) for number in release.split("-")[0].split(".")
    ]


@given(st.from_regex(RELEASE, fullmatch=True))
def test_every_legal_release_is_pep_440(release: str) -> None:
    """Python's tools read a legal release as the same version."""
    assert Version(release).base_version == release.split("-")[0]


@given(st.from_regex(RELEASE, fullmatch=True))
def test_every_legal_release_is_a_docker_tag(release: str) -> None:
    """Docker takes a legal release as a tag."""
    assert re.fullmatch(r"\w[\w.-]{0,127}", release, re.ASCII)


@pytest.mark.parametrize(("key", "example"), [(rule[0], rule[3]) for rule in RULES])
def test_examples_are_right(key: str, example: str) -> None:
    """The example in a message is itself legal."""
    assert faulty_keys(**{key: example}) == []


def test_every_free_answer_has_a_rule() -> None:
    """A prompt without a fixed choice never goes unchecked."""
    assert [rule[0] for rule in RULES] == [key for key in ANSWERS if key != "python_version"]


def test_faults_come_all_together() -> None:
    """One run tells everything that is wrong."""
    illegal = {key: answers[1] for key, answers in ILLEGAL.items()}
    assert faulty_keys(**illegal) == list(ILLEGAL)


def test_faulty_dsns_are_not_repeated() -> None:
    """A DSN with a slip in it is still a DSN: whatever it is, the message is the same."""
    messages = {tuple(find_faults(ANSWERS | {"sentry_dsn": dsn})) for dsn in ILLEGAL["sentry_dsn"]}
    assert len(messages) == 1


def test_image_is_not_blamed_for_the_slug() -> None:
    """The image's default is made of the slug: one fault is one line."""
    answers = {**ANSWERS, "project_slug": "Foo Bar", "docker_image": "Foo Bar"}
    assert [fault.split(":")[0] for fault in find_faults(answers)] == ["project_slug"]
