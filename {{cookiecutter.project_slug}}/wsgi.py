"""The app, for a WSGI server and the `flask` command."""

from app import create_app

app = create_app()
