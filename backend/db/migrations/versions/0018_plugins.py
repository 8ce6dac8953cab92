"""Losses from outside: what workers have reported, and the digest that a run needs."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_INDEX = "ix_run_next"
_BEFORE = ["state", "wants", "priority", "created_by", "created_at", "position"]


def upgrade() -> None:
    """Create the table, empty; earlier runs need no plug-in."""
    op.create_table(
        "plugin",
        sa.Column("worker", sa.String(), primary_key=True, nullable=False),
        sa.Column("name", sa.String(), primary_key=True, nullable=False),
        sa.Column("digest", sa.String(), primary_key=True, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("usable", sa.Boolean(), nullable=False),
        sa.Column("entry", sa.JSON(), nullable=False),
        sa.Column("reported_at", sa.Float(), nullable=False),
    )
    op.create_index("ix_plugin_name", "plugin", ["name"])
    op.create_index("ix_plugin_digest", "plugin", ["digest"])
    op.add_column(
        "run", sa.Column("loss_digest", sa.String(), nullable=False, server_default=sa.text("''"))
    )
    op.drop_index(_INDEX, "run")
    op.create_index(_INDEX, "run", [*_BEFORE[:2], "loss_digest", *_BEFORE[2:]])


def downgrade() -> None:
    """Drop the table and the column."""
    op.drop_index(_INDEX, "run")
    op.create_index(_INDEX, "run", _BEFORE)
    op.drop_column("run", "loss_digest")
    op.drop_index("ix_plugin_digest", "plugin")
    op.drop_index("ix_plugin_name", "plugin")
    op.drop_table("plugin")
