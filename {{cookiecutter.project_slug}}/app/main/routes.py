"""The front page, and the route that breaks."""

from flask import Blueprint, abort, current_app, render_template
from flask.typing import ResponseReturnValue

bp = Blueprint("main", __name__, template_folder="templates")


@bp.get("/")
def index() -> ResponseReturnValue:
    """Show the front page."""
    return render_template("main/index.html")


@bp.route("/broken_route")
def broken_route() -> ResponseReturnValue:
    """Crash, so that you can watch Sentry catch it. It is a 404 unless BROKEN_ROUTE is on."""
    if not current_app.config["BROKEN_ROUTE"]:
        abort(404)
    return str(1 / 0)
