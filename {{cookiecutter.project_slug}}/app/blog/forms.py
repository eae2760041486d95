"""The forms of posts and profiles."""

from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length, ValidationError

from app.blog.models import POST_LENGTH
from app.blog.text import is_visible
from app.forms import Form
from app.text import tidy

LIMIT = f"At most {POST_LENGTH} characters."
SHORT = Length(max=POST_LENGTH, message=LIMIT)


class PostForm(Form):
    """A new post."""

    post = TextAreaField(
        "What's on your mind?",
        filters=[tidy],
        validators=[DataRequired("Write something first."), SHORT],
        description=LIMIT,
    )

    def validate_post(self, field: TextAreaField) -> None:
        """Refuse a post in which nothing can be seen."""
        if not is_visible(field.data):
            raise ValidationError("Write something first.")


class EditProfileForm(Form):
    """What a profile says."""

    about_me = TextAreaField("About me", filters=[tidy], validators=[SHORT], description=LIMIT)
