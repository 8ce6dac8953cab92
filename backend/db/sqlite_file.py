"""The URL of a SQLite file, whatever signs its path has.

SQLAlchemy decodes `%20` in the path of a URL and takes what follows a `?` for options, so a path
has to be quoted. Version 0.5 did not do so.
"""

import logging
from pathlib import Path
from urllib.parse import quote, unquote

log = logging.getLogger(__name__)


def sqlite_url(file: Path) -> str:
    """Return the SQLAlchemy URL that opens this file; spaces need no quoting."""
    return f"sqlite:///{quote(str(file), safe='/ ')}"


def misread_file(file: Path) -> Path | None:
    """Return the database that version 0.5 opened in place of this file, if that is needed.

    None where the file exists, where there is no such other database, or where both are one.
    """
    other = Path(unquote(str(file).partition("?")[0]))
    return other if other != file and not file.exists() and other.is_file() else None


def warn_of_misread_file(file: Path) -> None:
    """Write to the log which database version 0.5 would have opened, where that is another one."""
    if other := misread_file(file):
        log.warning(
            "there is no database %s yet, so a new one is made. Version 0.5 would have opened %s "
            "instead, because it misread signs such as %% in a path. If your comparisons are "
            "there, stop Lossboard, delete the new file and move that one to its place",
            file,
            other,
        )
