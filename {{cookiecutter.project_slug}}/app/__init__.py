"""The app factory."""

import sys

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import auth, cli, errors, filters, headers, health, main
from app.config import Config
from app.extensions import csrf, db, limiter, login, migrate
from app.logs import configure_logging
from app.sentry import init_sentry


def create_app(config_class: type[Config] = Config) -> Flask:
    """The app, set up by `config_class`. A setting it cannot run with ends the process."""
    app = Flask(__name__)
    app.config.from_object(config_class)
    init_sentry(app.config)

    if not app.config["SECRET_KEY"]:
        sys.exit("SECRET_KEY is not set: put 32 random characters after SECRET_KEY= in .env.")
    configure_logging(app.config)
    hops = app.config["TRUSTED_PROXIES"]
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    db.init_app(app)
    migrate.init_app(app, db)
    csrf.init_app(app)
    limiter.init_app(app)
    login.init_app(app)

    app.register_blueprint(main.bp)
    app.register_blueprint(auth.bp, url_prefix="/auth")
    app.register_blueprint(health.bp)
    for module in (cli, errors, filters, headers):
        module.init_app(app)
    return app
