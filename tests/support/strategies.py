"""Hypothesis strategies for answers, written from the design and without the hooks' patterns."""

from hypothesis import strategies as st

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

_slug_letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
slugs = st.builds(
    str.__add__, st.sampled_from(_slug_letters[:26]), st.text(_slug_letters, max_size=49)
)
