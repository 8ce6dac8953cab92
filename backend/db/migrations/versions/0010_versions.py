"""Versions of comparisons, by which two people who edit one notice each other."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; every comparison begins with version 1."""
    op.add_column(
        "comparison", sa.Column("version", sa.Integer(), nullable=False, server_default="1")
    )


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("comparison", "version")
