"""The extensions, unbound. The app factory binds them."""

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
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
limiter = Limiter(get_remote_address)
login_manager = LoginManager()
# Hashing the address and browser of each request would only matter to fresh_login_required.
login_manager.session_protection = None
