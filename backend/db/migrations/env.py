"""Alembic's entry point: runs on the connection that backend.db.migrations passes in."""

from alembic import context
from sqlmodel import SQLModel

import backend.db.models

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
)
assert backend.db.models.Run.metadata is SQLModel.metadata
with context.begin_transaction():
    context.run_migrations()
