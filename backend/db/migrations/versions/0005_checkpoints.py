"""Checkpoints, from which the attempt after a lost one continues."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; existing runs have no checkpoint."""
    op.add_column("run", sa.Column("checkpoint", sa.String()))
    op.add_column(
        "run", sa.Column("resumed_at", sa.BigInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    """Drop them; every next attempt starts at its beginning again."""
    op.execute("UPDATE run SET start_after = 0")
    op.drop_column("run", "resumed_at")
    op.drop_column("run", "checkpoint")
