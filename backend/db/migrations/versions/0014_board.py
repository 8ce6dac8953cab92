"""The results that the board shows of each comparison, and the views of it that people save."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, empty; results of ended comparisons are computed in the background."""
    op.create_table(
        "comparison_result",
        sa.Column(
            "comparison_id",
            sa.String(),
            sa.ForeignKey("comparison.id", ondelete="CASCADE"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("succeeded", sa.Integer(), nullable=False),
        sa.Column("data", sa.String(), nullable=False),
        sa.Column("metric", sa.String(), nullable=True),
        sa.Column("merit", sa.Float(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=False),
    )
    op.create_table(
        "board_view",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("sort", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
    )
    op.create_index("ix_board_view_name", "board_view", ["name"], unique=True)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("board_view")
    op.drop_table("comparison_result")
