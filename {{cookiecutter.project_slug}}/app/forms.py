"""What all forms have in common."""

from typing import Any

from flask_wtf import FlaskForm


class Form(FlaskForm):
    """A form whose first invalid field gets the focus."""

    def validate(self, **options: Any) -> bool:
        """Return whether all fields are valid."""
        valid: bool = super().validate(**options)
        for name in list(self.errors)[:1]:
            self[name].flags.autofocus = True
        return valid
