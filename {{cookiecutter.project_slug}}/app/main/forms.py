"""The forms of posts and profiles."""

from wtforms import TextAreaField
from wtforms.validators import DataRequired, Length

from app.forms import Form
from app.models import POST_LENGTH
from app.text import tidy


class PostForm(Form):
    """A new post."""

    post = TextAreaField(
        "What's on your mind?",
        filters=[tidy],
        validators=[DataRequired("Write something first."), Length(max=POST_LENGTH)],
    )


class EditProfileForm(Form):
    """What a profile says."""

    about_me = TextAreaField("About me", filters=[tidy], validators=[Length(max=POST_LENGTH)])
