"""Accounts: register, log in, log out."""

from app.auth.routes import bp

__all__ = ["bp"]
