"""Share slots between users: whose a run is, the device it wants, each user's last turn."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NEXT = "ix_run_next"


def upgrade() -> None:
    """Add them; existing runs belong to the person who submitted their comparison."""
    op.add_column(
        "run", sa.Column("created_by", sa.String(), nullable=False, server_default="local")
    )
    op.add_column("run", sa.Column("wants", sa.String(), nullable=False, server_default="auto"))
    op.execute(
        "UPDATE run SET created_by = (SELECT created_by FROM comparison"
        " WHERE comparison.id = run.comparison_id)"
    )
    op.drop_index(NEXT, "run")
    op.create_index(
        NEXT, "run", ["state", "wants", "priority", "created_by", "created_at", "position"]
    )
    op.create_table(
        "turn",
        sa.Column("created_by", sa.String(), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )


def downgrade() -> None:
    """Put all runs in one queue again."""
    op.drop_table("turn")
    op.drop_index(NEXT, "run")
    op.drop_column("run", "wants")
    op.drop_column("run", "created_by")
    op.create_index(NEXT, "run", ["state", "priority", "created_at", "position"])
