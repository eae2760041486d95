"""What happens to text that a person typed."""

import unicodedata


def tidy(value: str | None) -> str | None:
    """Return `value` without surrounding whitespace and without NUL, which PostgreSQL refuses.

    A line break becomes one character, as the browser counted it.
    """
    return value.replace("\0", "").replace("\r\n", "\n").strip() if value else value


def fold(text: str) -> str:
    """Return what is the same for all ways to write a name or an e-mail address.

    PostgreSQL refuses NUL, which no name contains.
    """
    folded = unicodedata.normalize("NFKC", text.replace("\0", "\N{REPLACEMENT CHARACTER}"))
    return unicodedata.normalize("NFKC", folded.casefold())
