"""The front page, and the route that breaks."""

from flask import Flask
from flask.testing import FlaskClient


def test_front_page(client: FlaskClient) -> None:
    """A stranger sees the way to register on the front page."""
    assert 'href="/auth/register"' in client.get("/").text


def test_broken_route_is_missing(app: Flask, client: FlaskClient) -> None:
    """Where BROKEN_ROUTE is off, there is no such page."""
    app.config["BROKEN_ROUTE"] = False
    assert client.get("/broken_route").status_code == 404
