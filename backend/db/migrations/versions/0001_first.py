"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "comparison",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("notes", sa.String(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
    )
    op.create_index("ix_comparison_created_at", "comparison", ["created_at"])
    op.create_table(
        "tag",
        sa.Column("tag", sa.String(), primary_key=True),
        sa.Column(
            "comparison_id",
            sa.String(),
            sa.ForeignKey("comparison.id", ondelete="CASCADE"),
            primary_key=True,
        ),
    )
    op.create_index("ix_tag_comparison_id", "tag", ["comparison_id"])
    _run()
    _points()
    op.create_table(
        "log_line",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "run_id", sa.String(), sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
    )
    op.create_index("ix_log_line_run_id", "log_line", ["run_id"])
    op.create_table(
        "stream_position",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("entry", sa.String(), nullable=False),
    )


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column(
            "comparison_id",
            sa.String(),
            sa.ForeignKey("comparison.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("arm", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("committed_seq", sa.BigInteger(), nullable=False),
        sa.Column("start_after", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.String()),
        sa.Column("device", sa.String()),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("total_steps", sa.BigInteger(), nullable=False),
        sa.Column("steps_per_epoch", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float()),
        sa.Column("ended_at", sa.Float()),
        sa.Column("error", sa.JSON(none_as_null=True)),
    )
    op.create_index("ix_run_comparison_id", "run", ["comparison_id"])
    op.create_index("ix_run_next", "run", ["state", "priority", "created_at", "position"])


def _points() -> None:
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "run_id", sa.String(), sa.ForeignKey("run.id", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("key", sa.String(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_series_run_key", "series", ["run_id", "key"], unique=True)
    op.create_table(
        "point",
        sa.Column("series_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("step", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("value", sa.Float()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rollup",
        sa.Column("series_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("bucket", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("nulls", sa.Integer(), nullable=False),
        sa.Column("low", sa.Float()),
        sa.Column("high", sa.Float()),
        sa.Column("total", sa.Float()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "discarded",
        sa.Column("series_id", sa.Integer(), primary_key=True, autoincrement=False),
    )


def downgrade() -> None:
    """Drop all tables, children first."""
    for table in (
        *("stream_position", "discarded", "rollup", "point"),
        *("log_line", "series", "run", "tag", "comparison"),
    ):
        op.drop_table(table)
