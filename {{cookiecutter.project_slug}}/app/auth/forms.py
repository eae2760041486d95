"""The forms of accounts."""

from sqlalchemy import ColumnElement, func, select
from wtforms import BooleanField, EmailField, PasswordField, StringField
from wtforms.validators import DataRequired, Email, EqualTo, Length, Regexp, ValidationError

from app.extensions import db
from app.forms import Form
from app.models import EMAIL_LENGTH, USERNAME_LENGTH, User
from app.text import tidy


class LoginForm(Form):
    """A name and a password."""

    username = StringField("Username", filters=[tidy], validators=[DataRequired()])
    password = PasswordField("Password", validators=[DataRequired()])
    remember_me = BooleanField("Keep me logged in")


class RegistrationForm(Form):
    """A new account."""

    username = StringField(
        "Username",
        filters=[tidy],
        validators=[
            DataRequired(),
            Length(max=USERNAME_LENGTH),
            # Browsers read a URL segment of dots alone as the folder above it.
            Regexp(r"^(?!\.+$)[A-Za-z0-9_.-]+$", message="Use letters, digits, ., - and _."),
        ],
    )
    email = EmailField(
        "Email", filters=[tidy], validators=[DataRequired(), Length(max=EMAIL_LENGTH), Email()]
    )
    password = PasswordField(
        "Password", validators=[DataRequired(), Length(8, 128, "Use 8 to 128 characters.")]
    )
    password2 = PasswordField(
        "Repeat the password",
        validators=[DataRequired(), EqualTo("password", "The passwords differ.")],
    )

    def validate_username(self, field: StringField) -> None:
        """Refuse a name that is taken, ignoring case."""
        refuse_taken(func.lower(User.username) == (field.data or "").lower(), "This name is taken.")

    def validate_email(self, field: EmailField) -> None:
        """Refuse an e-mail address that has an account, ignoring case."""
        refuse_taken(
            func.lower(User.email) == (field.data or "").lower(), "This address has an account."
        )


def refuse_taken(same: ColumnElement[bool], message: str) -> None:
    """Raise ValidationError with `message` if a user matches `same`."""
    if db.session.scalar(select(User.id).where(same)):
        raise ValidationError(message)
