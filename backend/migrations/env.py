"""Alembic's entry: runs on the connection that backend.migrations hands over."""

from alembic import context
from sqlmodel import SQLModel

import backend.tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    transactional_ddl=True,
)
assert backend.tables.Run.metadata is SQLModel.metadata
with context.begin_transaction():
    context.run_migrations()
