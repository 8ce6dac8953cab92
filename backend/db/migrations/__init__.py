"""The history of the schema, and how a database is brought to its newest revision."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from backend.db.database import Database


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to a revision; do nothing if it is already there."""
    with database.migration() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the schema back to a revision; "base" is the empty database."""
    with database.migration() as connection:
        command.downgrade(_config(connection), revision)


def current(database: Database) -> str | None:
    """Return the revision that a database has; None for one without our tables."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """Return the newest revision."""
    [newest] = ScriptDirectory.from_config(_config(None)).get_heads()
    return newest


def known(revision: str) -> bool:
    """Return whether this version knows a revision, or only a newer one does."""
    try:
        return ScriptDirectory.from_config(_config(None)).get_revision(revision) is not None
    except CommandError:
        return False


def _config(connection: object) -> Config:
    config = Config()
    # A percent sign of the path would be read as an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config
