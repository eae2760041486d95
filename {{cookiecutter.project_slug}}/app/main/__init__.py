"""The blog itself: posts, timelines, profiles."""

from app.main.routes import bp

__all__ = ["bp"]
