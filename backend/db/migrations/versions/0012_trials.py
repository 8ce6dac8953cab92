"""Trials of a tuning, which runs belong to them, and how many runs share a slot."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the columns; all runs until now are final ones."""
    op.create_table(
        "trial",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        sa.Column(
            "comparison_id",
            sa.String(),
            sa.ForeignKey("comparison.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("params", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("epochs", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
    )
    op.create_index("ix_trial_place", "trial", ["comparison_id", "arm", "number"], unique=True)
    op.create_index("ix_trial_state", "trial", ["state", "comparison_id"])
    op.add_column(
        "run", sa.Column("role", sa.String(), nullable=False, server_default=sa.text("'final'"))
    )
    op.add_column("run", sa.Column("trial_id", sa.String(), nullable=True))
    op.add_column("run", sa.Column("trial_number", sa.Integer(), nullable=True))
    op.add_column("run", sa.Column("fold", sa.Integer(), nullable=True))
    op.add_column("run", sa.Column("shared", sa.Integer(), nullable=True))
    op.create_index("ix_run_trial_id", "run", ["trial_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_run_trial_id", "run")
    for column in ("shared", "fold", "trial_number", "trial_id", "role"):
        op.drop_column("run", column)
    op.drop_index("ix_trial_state", "trial")
    op.drop_index("ix_trial_place", "trial")
    op.drop_table("trial")
