"""Logins, so that logging out ends copied sessions too.

Revision: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
