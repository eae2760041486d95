"""Template filters."""

import zlib
from datetime import datetime, timedelta

from flask import Flask

from app.models import utcnow
from app.text import linkify
from app.timelines import COUNT_LIMIT


def init_app(app: Flask) -> None:
    """Add the filters to the templates of `app`."""
    app.add_template_filter(ago)
    app.add_template_filter(capped)
    app.add_template_filter(hue)
    app.add_template_filter(linkify)
    app.add_template_filter(utc)


def utc(time: datetime) -> str:
    """Return `time` (UTC) as HTML writes it, with its time zone."""
    return f"{time.isoformat(timespec='seconds')}Z"


def ago(time: datetime) -> str:
    """Return how long ago `time` (UTC) was, or its date after a week."""
    seconds = (utcnow() - time) // timedelta(seconds=1)
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86400:
        return f"{seconds // 3600} h ago"
    if seconds < 7 * 86400:
        return f"{seconds // 86400} d ago"
    return time.date().isoformat()


def capped(count: int) -> str:
    """Return a count of a profile, which stops at `COUNT_LIMIT` + 1."""
    return f"{COUNT_LIMIT:,}+" if count > COUNT_LIMIT else f"{count:,}"


def hue(name: str) -> int:
    """Return the hue of `name` in degrees. It is the same in every process."""
    return zlib.crc32(name.encode()) % 360
