"""The forms of posts and profiles."""

from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from app.forms import Form
from app.models import POST_LENGTH
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


class EditProfileForm(Form):
    """What a profile says."""

    about_me = TextAreaField("About me", filters=[tidy], validators=[SHORT], description=LIMIT)
