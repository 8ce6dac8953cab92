"""Uploaded data sets, and what a run does before its first step."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add one table and one column."""
    op.create_table(
        "dataset",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    op.create_index("ix_dataset_created_at", "dataset", ["created_at"])
    op.add_column("run", sa.Column("preparing", sa.JSON()))


def downgrade() -> None:
    """The files of data sets stay where they are."""
    op.drop_column("run", "preparing")
    op.drop_table("dataset")
