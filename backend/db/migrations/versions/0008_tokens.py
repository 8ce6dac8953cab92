"""Tokens that are added and revoked while the API runs."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, empty."""
    op.create_table(
        "token",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("expires_at", sa.Float()),
        sa.Column("last_used_at", sa.Float()),
        sa.Column("revoked_at", sa.Float()),
        sa.Column("revoked_by", sa.String()),
        sqlite_autoincrement=True,
    )
    valid = sa.text("revoked_at IS NULL")
    op.create_index(
        "ix_token_name",
        "token",
        ["name"],
        unique=True,
        sqlite_where=valid,
        postgresql_where=valid,
    )
    op.create_index("ix_token_hash", "token", ["token_hash"], unique=True)


def downgrade() -> None:
    """Drop the table: an older version knows the tokens of the environment only."""
    op.drop_table("token")
