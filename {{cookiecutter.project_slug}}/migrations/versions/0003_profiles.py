"""When a user registered, and an index for the list of a user's followers.

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
    op.add_column("user", sa.Column("created", sa.DateTime(), nullable=True))
    op.create_index(
        "ix_followers_followed_id_follower_id", "followers", ["followed_id", "follower_id"]
    )
    op.drop_index("ix_followers_followed_id", "followers")


def downgrade() -> None:
    op.create_index("ix_followers_followed_id", "followers", ["followed_id"])
    op.drop_index("ix_followers_followed_id_follower_id", "followers")
    op.drop_column("user", "created")
