"""What templates can do: filters, and the pieces of pages that parts of the app contribute."""

from datetime import datetime, timedelta
from functools import cache

from flask import Flask

from app.auth.models import utcnow


def init_app(app: Flask) -> None:
    """Add the filters and functions to the templates of `app`."""
    app.add_template_filter(ago)
    app.add_template_filter(exact)
    app.add_template_filter(utc)

    @app.template_global()
    @cache
    def pieces(name: str) -> list[str]:
        """Return the templates `<part>/<name>.html`, which parts of the app contribute to pages."""
        return app.jinja_env.list_templates(filter_func=lambda t: t.endswith(f"/{name}.html"))


def utc(time: datetime) -> str:
    """Return `time` (UTC) as HTML writes it, with its time zone."""
    return f"{time.isoformat(timespec='seconds')}Z"


def exact(time: datetime) -> str:
    """Return `time` (UTC) as people write it."""
    return f"{time:%d %B %Y at %H:%M UTC}"


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
