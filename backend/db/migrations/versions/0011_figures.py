"""Figures of whole runs; states, versions and sizes of splits of runs."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the columns; figures of existing runs are computed in the background."""
    op.add_column(
        "run", sa.Column("states", sa.JSON(), nullable=False, server_default=sa.text("'[]'"))
    )
    op.add_column("run", sa.Column("versions", sa.JSON(), nullable=True))
    op.add_column("run", sa.Column("splits", sa.JSON(), nullable=True))
    op.create_table(
        "run_figures",
        sa.Column(
            "run_id",
            sa.String(),
            sa.ForeignKey("run.id", ondelete="CASCADE"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("run_figures")
    for column in ("splits", "versions", "states"):
        op.drop_column("run", column)
