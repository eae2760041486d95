"""What the forms of both blueprints share."""


def tidy(value: str | None) -> str | None:
    """`value` without blanks around it and without NUL, which PostgreSQL refuses.

    A line break is one character again, as the browser counted it.
    """
    return value.replace("\0", "").replace("\r\n", "\n").strip() if value else value
