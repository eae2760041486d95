"""Posts, timelines and profiles."""

from app.main.routes import bp

__all__ = ["bp"]
