"""The front page, and the route that breaks."""

from datetime import UTC, datetime, timedelta
from urllib.robotparser import RobotFileParser

from flask import Flask
from flask.testing import FlaskClient


def test_broken_route_is_missing(app: Flask, client: FlaskClient) -> None:
    """Where BROKEN_ROUTE is off, there is no such page."""
    app.config["BROKEN_ROUTE"] = False
    assert client.get("/broken_route").status_code == 404


def test_icon_is_found(client: FlaskClient) -> None:
    """A browser that looks for /favicon.ico gets the icon."""
    response = client.get("/favicon.ico", follow_redirects=True, buffered=True)
    assert (response.status_code, response.content_type) == (200, "image/png")


def test_crawlers_stay_away_from_accounts(client: FlaskClient) -> None:
    """Crawlers are told to read the front page and the log-in page, and no page of an account."""
    robots = RobotFileParser()
    robots.parse(client.get("/robots.txt").text.splitlines())
    paths = ("/", "/auth/login", "/account", "/account/email")
    assert [path for path in paths if robots.can_fetch("*", path)] == ["/", "/auth/login"]


def test_contact_for_vulnerabilities(app: Flask, client: FlaskClient) -> None:
    """A researcher finds whom to write to, in a file that is valid for some weeks."""
    app.config["CONTACT"] = "mailto:susan@example.com"
    text = client.get("/.well-known/security.txt").text
    [contact, expires] = [line.partition(": ")[2] for line in text.splitlines()]
    assert contact == "mailto:susan@example.com"
    assert datetime.fromisoformat(expires) > datetime.now(UTC) + timedelta(days=7)


def test_no_contact_for_vulnerabilities(client: FlaskClient) -> None:
    """Without CONTACT there is no security.txt, which would be invalid."""
    assert client.get("/.well-known/security.txt").status_code == 404
