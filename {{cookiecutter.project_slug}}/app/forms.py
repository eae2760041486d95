"""Forms whose text outlives the session in which they were opened."""

from typing import Any

from flask import request, session
from flask_wtf import FlaskForm

from app.models import POST_LENGTH

TEXTS = ("post", "about_me", "username", "email")


class Form(FlaskForm):
    """A form that shows the text which `keep_text` kept of it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.is_submitted():
            for field in self:
                field.data = session.pop(f"kept_{field.name}", field.data)


def keep_text() -> None:
    """Keep the text of the request's form in the session, until the form is shown again."""
    for name in TEXTS:
        if text := request.form.get(name):
            session[f"kept_{name}"] = text[:POST_LENGTH]  # a cookie holds 4 kB
