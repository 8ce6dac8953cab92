"""Alerts, where they are sent, and what became of each."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables."""
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        _of("comparison_id", "comparison.id", nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_key", "alert", ["key"], unique=True)
    op.create_index("ix_alert_comparison_id", "alert", ["comparison_id"])
    op.create_table(
        "alert_receiver",
        sa.Column("id", sa.String(), primary_key=True, nullable=False),
        _of("comparison_id", "comparison.id", nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.Float(), nullable=False),
    )
    op.create_index("ix_alert_receiver_comparison_id", "alert_receiver", ["comparison_id"])
    op.create_table(
        "alert_delivery",
        sa.Column("id", sa.Integer(), primary_key=True, nullable=False),
        sa.Column(
            "alert_id",
            sa.Integer(),
            sa.ForeignKey("alert.id", ondelete="CASCADE"),
            nullable=False,
        ),
        _of("receiver_id", "alert_receiver.id", nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.Float(), nullable=False),
        sa.Column("tried_at", sa.Float(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_delivery_next", "alert_delivery", ["receiver_id", "state", "id"])
    op.create_index("ix_alert_delivery_alert_id", "alert_delivery", ["alert_id"])


def downgrade() -> None:
    """Drop them."""
    for table in ("alert_delivery", "alert_receiver", "alert"):
        op.drop_table(table)


def _of(name: str, target: str, *, nullable: bool) -> sa.Column[str]:
    """Return a column that goes with the row that it names."""
    return sa.Column(
        name, sa.String(), sa.ForeignKey(target, ondelete="CASCADE"), nullable=nullable
    )
