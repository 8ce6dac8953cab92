"""What runs keep of their trained models."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; runs until now have kept nothing."""
    op.create_table(
        "artifact",
        sa.Column(
            "run_id",
            sa.String(),
            sa.ForeignKey("run.id", ondelete="CASCADE"),
            primary_key=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(), primary_key=True, nullable=False),
        sa.Column("digest", sa.String(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
    )
    op.create_index("ix_artifact_digest", "artifact", ["digest"])


def downgrade() -> None:
    """Drop it."""
    op.drop_index("ix_artifact_digest", "artifact")
    op.drop_table("artifact")
