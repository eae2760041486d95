"""What the templates can do with a value."""

import zlib
from datetime import datetime, timedelta

from flask import Flask

from app.models import utcnow


def init_app(app: Flask) -> None:
    """Teach the filters to `app`'s templates."""
    app.add_template_filter(ago)
    app.add_template_filter(hue)


def ago(moment: datetime) -> str:
    """How long ago `moment` (UTC) was, in its largest unit; its date after a week."""
    age = max(utcnow() - moment, timedelta())
    if age < timedelta(minutes=1):
        return "just now"
    if age < timedelta(hours=1):
        return f"{age // timedelta(minutes=1)} min ago"
    if age < timedelta(days=1):
        return f"{age // timedelta(hours=1)} h ago"
    if age < timedelta(days=7):
        return f"{age.days} d ago"
    return f"{moment:%Y-%m-%d}"


def hue(name: str) -> int:
    """The colour of `name`, in degrees: always the same one."""
    return zlib.crc32(name.encode()) % 360
