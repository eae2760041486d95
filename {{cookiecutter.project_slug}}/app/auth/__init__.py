"""Accounts: register, log in, log out, change or delete an account."""
