"""Questions about uploaded data sets, and their answers."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; existing data sets have neither."""
    for name, empty in (("answers", "{}"), ("questions", "[]")):
        op.add_column(
            "dataset",
            sa.Column(name, sa.JSON(), nullable=False, server_default=sa.text(f"'{empty}'")),
        )


def downgrade() -> None:
    """Drop them; data sets that wait for answers go, for no earlier version can read them."""
    op.execute("DELETE FROM dataset WHERE items = 0")
    op.drop_column("dataset", "questions")
    op.drop_column("dataset", "answers")
