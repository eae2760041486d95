"""What happens to text that a user typed."""


def tidy(value: str | None) -> str | None:
    """Return `value` without surrounding whitespace and without NUL, which PostgreSQL refuses.

    A line break becomes one character, as the browser counted it.
    """
    return value.replace("\0", "").replace("\r\n", "\n").strip() if value else value
