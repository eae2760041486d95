"""Unique names and e-mail addresses whatever their case, and logins.

Revision: 0002
Revises: 0001
"""

import sys

import sqlalchemy as sa
from alembic import context, op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if not context.is_offline_mode():
        refuse_duplicates("username")
        refuse_duplicates("email")
    op.create_index("ix_user_username_lower", "user", [sa.text("lower(username)")], unique=True)
    op.create_index("ix_user_email_lower", "user", [sa.text("lower(email)")], unique=True)
    op.create_table(
        "login",
        sa.Column("token", sa.String(43), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created", sa.DateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], "fk_login_user_id_user"),
        sa.PrimaryKeyConstraint("token", name="pk_login"),
    )
    op.create_index("ix_login_user_id", "login", ["user_id"])


def downgrade() -> None:
    op.drop_table("login")
    op.drop_index("ix_user_email_lower", "user")
    op.drop_index("ix_user_username_lower", "user")


def refuse_duplicates(name: str) -> None:
    """End the migration if users share a value of the column `name` but for its case."""
    user = sa.table("user", sa.column("id"), sa.column(name))
    lower = sa.func.lower(user.c[name])
    taken = sa.select(lower).group_by(lower).having(sa.func.count() > 1)
    query = sa.select(user.c.id).where(lower.in_(taken)).order_by(lower, user.c.id)
    ids = op.get_bind().scalars(query).all()
    if ids:
        sys.exit(
            f"These users have the same {name}, except for upper and lower case: their ids are"
            f" {', '.join(map(str, ids))}. Change it for all but one of them, for example:"
            f"""\nUPDATE "user" SET {name} = '...' WHERE id = {ids[-1]};"""
            "\nThen migrate again. Nothing was changed."
        )
