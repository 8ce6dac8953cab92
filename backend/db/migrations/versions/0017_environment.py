"""What a run was trained on, and what it used of its machine."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; earlier runs have none of it."""
    op.add_column("run", sa.Column("environment", sa.JSON(), nullable=True))
    op.add_column("run", sa.Column("usage", sa.JSON(), nullable=True))


def downgrade() -> None:
    """Drop the columns."""
    op.drop_column("run", "usage")
    op.drop_column("run", "environment")
