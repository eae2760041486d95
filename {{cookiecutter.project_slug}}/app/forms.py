"""What all forms have in common."""

from typing import Any

from flask import current_app, request, session
from flask_wtf import FlaskForm

from app.models import POST_LENGTH

TEXTS = ("post", "about_me", "username", "email")


class Form(FlaskForm):
    """A form that shows the text kept by `keep_text`, and focuses its first invalid field."""

    class Meta(FlaskForm.Meta):
        """The options of the form. CSRFProtect checks the tokens of all requests."""

        csrf = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if not self.is_submitted():
            for field in self:
                field.data = session.pop(f"kept_{field.name}", field.data)

    def validate(self, **options: Any) -> bool:
        """Return whether all fields are valid."""
        valid: bool = super().validate(**options)
        for name in list(self.errors)[:1]:
            self[name].flags.autofocus = True
        return valid


def keep_text() -> None:
    """Keep the text of a form whose session has ended, until the form is shown again."""
    for name in TEXTS:
        if text := request.form.get(name):
            session[f"kept_{name}"] = text[:POST_LENGTH]  # a cookie holds 4 kB


def has_page() -> bool:
    """Return whether the URL of the request has a page. A button may send to one that has none."""
    return current_app.create_url_adapter(request).test(method="GET")  # type: ignore[union-attr]
