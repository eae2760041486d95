"""The app factory."""

from importlib import import_module
from importlib.util import find_spec

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import assets, auth, cli, errors, filters, headers, health, main
from app.config import Config
from app.extensions import csrf, db, limiter, login_manager, migrate
from app.logs import configure_logging
from app.sentry import init_sentry


def create_app(config_class: type[Config] = Config) -> Flask:
    """Create the app with the settings of `config_class`. Invalid settings end the process."""
    app = Flask(__name__)
    app.config.from_object(config_class())
    configure_logging(app.config)
    init_sentry(app.config)
    hops = app.config["TRUSTED_PROXIES"]
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]

    errors.init_app(app)  # before csrf, which reads the form
    db.init_app(app)
    migrate.init_app(app, db)
    csrf.init_app(app)
    limiter.init_app(app)
    login_manager.init_app(app)

    app.register_blueprint(main.bp)
    app.register_blueprint(auth.bp, url_prefix="/auth")
    app.register_blueprint(auth.account_bp, url_prefix="/account")
    app.register_blueprint(health.bp)
    # Without this module, pages send nothing to Sentry.
    if find_spec("app.browser"):
        app.register_blueprint(import_module("app.browser").bp)

    assets.init_app(app)
    cli.init_app(app)
    filters.init_app(app)
    headers.init_app(app)
    return app
