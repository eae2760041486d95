"""The extensions, unbound. The app factory binds them."""

from ipaddress import ip_address, ip_network

from flask import request
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """The base class of the models. Migrations need constraints with names."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(
    metadata=Base.metadata,
    session_options={"expire_on_commit": False},  # current_user is not loaded again
)
migrate = Migrate()
csrf = CSRFProtect()


def client_network() -> str:
    """Return the client's IP address, or of an IPv6 address its /64, which one client has."""
    client = request.remote_addr or ""
    try:
        address = ip_address(client)
    except ValueError:  # a proxy may send anything
        return client
    address = getattr(address, "ipv4_mapped", None) or address
    return str(ip_network((address, 64), strict=False) if address.version == 6 else address)


limiter = Limiter(client_network)


@limiter.request_filter
def only_reads() -> bool:
    """Exempt requests that send no form. Looking up their limits takes 0.1 ms."""
    return request.method != "POST"


login_manager = LoginManager()
# Session protection marks sessions whose address has changed, for fresh_login_required only.
login_manager.session_protection = None
