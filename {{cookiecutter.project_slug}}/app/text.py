"""What happens to text that a user typed."""

import unicodedata

BLANK = "\u115f\u1160\u2800\u3164\uffa0"  # letters and symbols that fonts show as nothing


def tidy(value: str | None) -> str | None:
    """Return `value` without surrounding whitespace and without NUL, which PostgreSQL refuses.

    A line break becomes one character, as the browser counted it.
    """
    return value.replace("\0", "").replace("\r\n", "\n").strip() if value else value


def is_visible(text: str) -> bool:
    """Return whether a character of `text` can be seen: no space, control, format or mark."""
    return any(unicodedata.category(c)[0] not in "CMZ" and c not in BLANK for c in text)
