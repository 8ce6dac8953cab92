"""The schema's history, and how a database is brought to its head."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from backend.db import Database


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to a revision; nothing happens if it is there."""
    with database.migration() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to a revision; "base" is the empty database."""
    with database.migration() as connection:
        command.downgrade(_config(connection), revision)


def _config(connection: object) -> Config:
    config = Config()
    # A percent sign of the path would be read as an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
