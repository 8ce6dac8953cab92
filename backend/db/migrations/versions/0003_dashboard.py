"""Snapshots, projections, and archived comparisons."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add two tables and one column."""
    op.create_table(
        "snapshot",
        sa.Column(
            "run_id", sa.String(), sa.ForeignKey("run.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("epoch", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("embeddings", sa.String(), nullable=False),
        sa.Column("facts", sa.String(), nullable=False),
        sa.Column("samples", sa.String(), nullable=False),
        sa.Column("sprite", sa.String()),
        sa.Column("sounds", sa.String()),
    )
    op.create_table(
        "projection",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column(
            "comparison_id",
            sa.String(),
            sa.ForeignKey("comparison.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("dims", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("heard_at", sa.Float()),
        sa.Column("started_at", sa.Float()),
        sa.Column("coordinates", sa.String()),
        sa.Column("error", sa.String()),
    )
    op.create_index("ix_projection_comparison_id", "projection", ["comparison_id"])
    op.create_index("ix_projection_state", "projection", ["state"])
    op.add_column(
        "comparison",
        sa.Column("archived", sa.Boolean(), nullable=False, server_default=sa.false()),
    )


def downgrade() -> None:
    """Drop them; the blobs stay on disk."""
    op.drop_column("comparison", "archived")
    op.drop_table("projection")
    op.drop_table("snapshot")
