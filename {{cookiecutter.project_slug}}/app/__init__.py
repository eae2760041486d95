"""The app factory."""

from importlib import import_module
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import assets, errors, headers, health, sentry, templating
from app.config import Config
from app.extensions import csrf, db, end_transaction, login_manager, migrate
from app.limits import limiter
from app.logs import configure_logging
from app.sentry import init_sentry


def create_app(config_class: type[Config] = Config) -> Flask:
    """Create the app with the settings of `config_class`. Invalid settings end the process."""
    app = Flask(__name__)
    app.config.from_object(config_class())
    configure_logging(app.config)
    init_sentry(app.config)
    hops = app.config["TRUSTED_PROXIES"]
    proxied = ProxyFix(health.AnyHost(app.wsgi_app), x_for=hops, x_proto=hops, x_host=hops)
    app.wsgi_app = proxied  # type: ignore[method-assign]

    sentry.init_app(app)
    errors.init_app(app)  # before csrf, which reads the form
    assets.init_app(app)  # before login_manager: what is added first runs last after a request
    db.init_app(app)
    app.teardown_appcontext(end_transaction)  # runs before db's own, which would crash
    migrate.init_app(app, db)
    csrf.init_app(app)
    limiter.init_app(app)
    login_manager.init_app(app)

    register_parts(app)
    app.register_blueprint(health.bp)
    app.after_request(headers.add_headers)  # to error pages, too
    templating.init_app(app)
    return app


def register_parts(app: Flask) -> None:
    """Import each `models.py` below this folder, and register the `bp` of each `routes.py`."""
    folder = Path(__file__).parent
    for path in sorted([*folder.rglob("models.py"), *folder.rglob("routes.py")]):
        name = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
        module = import_module(name)
        if path.stem == "routes":
            app.register_blueprint(module.bp)
