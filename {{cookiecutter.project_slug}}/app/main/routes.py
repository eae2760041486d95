"""The front page, and the route that breaks."""

from datetime import timedelta

from flask import Blueprint, Response, abort, current_app, redirect, render_template
from flask.typing import ResponseReturnValue

from app.assets import static_url
from app.auth.models import utcnow
from app.templating import utc

bp = Blueprint("main", __name__, template_folder="templates")


@bp.get("/")
def index() -> ResponseReturnValue:
    """Show the front page."""
    return render_template("main/index.html")


# What browsers and crawlers look for, whatever the pages say.
@bp.get("/favicon.ico")
def icon() -> ResponseReturnValue:
    """Lead to the icon."""
    return redirect(static_url("icon.png"))


@bp.get("/robots.txt")
def robots() -> ResponseReturnValue:
    """Keep crawlers away from the pages of a user's own account."""
    return Response("User-agent: *\nDisallow: /account\n", mimetype="text/plain")


@bp.get("/.well-known/security.txt")
def security() -> ResponseReturnValue:
    """Say where to report a vulnerability (RFC 9116), if CONTACT is set."""
    contact = current_app.config["CONTACT"] or abort(404)
    expires = utc(utcnow() + timedelta(days=30))
    return Response(f"Contact: {contact}\nExpires: {expires}\n", mimetype="text/plain")


@bp.route("/broken_route")
def broken_route() -> ResponseReturnValue:
    """Crash, so that you can watch Sentry catch it. It is a 404 unless BROKEN_ROUTE is on."""
    if not current_app.config["BROKEN_ROUTE"]:
        abort(404)
    return str(1 / 0)
