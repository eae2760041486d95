"""What all forms have in common."""

from typing import Any

from flask_wtf import FlaskForm


class Form(FlaskForm):
    """A form that focuses its first invalid field."""

    class Meta(FlaskForm.Meta):
        """The options of the form. CSRFProtect checks the tokens of all requests."""

        csrf = False

    def validate(self, **options: Any) -> bool:
        """Return whether all fields are valid."""
        valid: bool = super().validate(**options)
        for name in list(self.errors)[:1]:
            self[name].flags.autofocus = True
        return valid
