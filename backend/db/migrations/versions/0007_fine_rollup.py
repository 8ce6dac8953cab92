"""A finer roll-up, so that curves of about 10,000 to 200,000 steps are read as fast as others."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and fill it from the existing points."""
    op.create_table(
        "fine_rollup",
        sa.Column("series_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("bucket", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("nulls", sa.Integer(), nullable=False),
        sa.Column("low", sa.Float()),
        sa.Column("high", sa.Float()),
        sa.Column("total", sa.Float()),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO fine_rollup (series_id, bucket, n, nulls, low, high, total) "
        "SELECT series_id, step / 16, count(*), count(*) - count(value), "
        "min(value), max(value), sum(value) FROM point GROUP BY series_id, step / 16"
    )


def downgrade() -> None:
    """Drop the table; the points themselves are read again."""
    op.drop_table("fine_rollup")
