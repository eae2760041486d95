"""The forms of accounts."""

from flask_login import current_user
from wtforms import BooleanField, EmailField, PasswordField, StringField
from wtforms.validators import DataRequired, Email, EqualTo, Length, Regexp, ValidationError

from app.auth import passwords
from app.auth.models import EMAIL_LENGTH, USERNAME_LENGTH, user_named, user_with_email
from app.forms import Form
from app.text import fold, tidy

PASSWORD_RULE = f"Use {passwords.LENGTH} to 128 characters."
USERNAME_RULE = f"Use letters, digits, ., - and _, at most {USERNAME_LENGTH}."
EMAIL_RULE = f"Use at most {EMAIL_LENGTH} characters."


class LoginForm(Form):
    """A name or e-mail address, and a password."""

    username = StringField("Username or email", filters=[tidy], validators=[DataRequired()])
    password = PasswordField("Password", validators=[DataRequired()])
    remember_me = BooleanField("Keep me logged in")


# The first invalid field gets the focus, in the order in which these classes define their fields.
class UsernameForm(Form):
    """A name that nobody else has."""

    username = StringField(
        "Username",
        filters=[tidy],
        validators=[
            DataRequired(),
            Length(max=USERNAME_LENGTH, message=USERNAME_RULE),
            # Browsers read a URL segment of dots alone as the folder above it.
            Regexp(r"^(?!\.+$)[A-Za-z0-9_.-]+$", message=USERNAME_RULE),
        ],
        description=USERNAME_RULE,
    )

    def validate_username(self, field: StringField) -> None:
        """Refuse a name that is taken."""
        if user_named(field.data):
            raise ValidationError("This name is taken.")


class EmailForm(Form):
    """An e-mail address that nobody else has."""

    email = EmailField(
        "Email",
        filters=[tidy],
        validators=[
            DataRequired(),
            Length(max=EMAIL_LENGTH, message=EMAIL_RULE),
            Email("This is not an email address."),
        ],
    )

    def validate_email(self, field: EmailField) -> None:
        """Refuse an e-mail address that has another account."""
        if len(fold(field.data)) > EMAIL_LENGTH:  # folding makes some letters longer
            raise ValidationError(EMAIL_RULE)
        if user_with_email(field.data) not in (None, current_user):
            raise ValidationError("This address has an account.")


class ConfirmForm(Form):
    """A change that needs the current password."""

    current_password = PasswordField("Current password", validators=[DataRequired()])

    def validate_current_password(self, field: PasswordField) -> None:
        """Refuse a wrong password."""
        if not passwords.is_right(field.data, current_user.password_hash):
            raise ValidationError("This is not your password.")


class NewPasswordForm(Form):
    """A new password, typed twice, for the user whose name is `owner`."""

    password = PasswordField(
        "Choose a password",
        validators=[DataRequired(), Length(passwords.LENGTH, 128, PASSWORD_RULE)],
        description=PASSWORD_RULE,
    )
    password2 = PasswordField(
        "Repeat the password",
        validators=[DataRequired(), EqualTo("password", "The passwords differ.")],
    )

    def __init__(self, owner: str) -> None:
        super().__init__()
        self.owner = owner

    def validate_password(self, field: PasswordField) -> None:
        """Refuse a password that is easily guessed."""
        if passwords.is_weak(field.data, self.owner):
            raise ValidationError("This is easy to guess. Use a less common password.")


class RegistrationForm(NewPasswordForm, EmailForm, UsernameForm):
    """A new account."""


class ChangePasswordForm(NewPasswordForm, ConfirmForm):
    """A new password for a user who knows the current one."""


class ChangeEmailForm(EmailForm, ConfirmForm):
    """A new e-mail address for a user who knows the password."""
