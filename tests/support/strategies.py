"""Hypothesis strategies for answers; names and slugs do without the hook's patterns."""

import string

from hypothesis import strategies as st

from tests.support.hooks import PRE_GEN
from tests.support.template import CONTEXT

HOSTILE = ("'", '"', "\\", "'''", '"""', "{{ 7*7 }}", "{% raw %}", "{#", "$(id)", "`id`", "%s", "#")

allowed = st.characters(exclude_categories=("Cc", "Zl", "Zp", "Cs"))
forbidden = st.characters(categories=("Cc", "Zl", "Zp", "Cs"))
pieces = st.sampled_from(HOSTILE) | allowed
names = (
    st.lists(pieces, min_size=1, max_size=60)
    .map("".join)
    .filter(lambda name: name.strip() and len(name) <= 60)
)
bad_names = st.one_of(
    st.text(" \t\u2003", max_size=5),
    st.text(allowed, min_size=61, max_size=80),
    st.builds("a{}b".format, forbidden),
)

_slug_letters = f"{string.ascii_lowercase}{string.digits}-"
slugs = st.builds(
    str.__add__, st.sampled_from(_slug_letters[:26]), st.text(_slug_letters, max_size=49)
)

dsns = st.from_regex(PRE_GEN.DSN, fullmatch=True).filter(PRE_GEN.is_dsn)
releases = st.from_regex(PRE_GEN.RELEASE, fullmatch=True)
images = st.from_regex(PRE_GEN.IMAGE, fullmatch=True).filter(lambda image: len(image) <= 255)

legal_answers = st.fixed_dictionaries(
    {
        "project_name": names,
        "project_slug": slugs,
        "sentry_dsn": st.just("") | dsns,
        "release": releases,
        "docker_image": images,
        "python_version": st.sampled_from(CONTEXT["python_version"]),
    }
)
