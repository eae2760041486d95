"""Accounts: register, log in, log out, change or delete an account."""

from app.auth.account import bp as account_bp
from app.auth.routes import bp

__all__ = ["account_bp", "bp"]
