"""Receivers of alerts stay with their installation: no backup has them, and a restore keeps those
that are there.

Their secrets must be readable to sign with them, so they would be readable in each backup too. And
an installation that was restored for a drill must not send alerts to the team's channels.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import delete
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from backend.admin.locations import Locations
from backend.db.database import Database
from backend.db.models import AlertReceiver, Comparison

TABLES: Final = ("alert", "alert_receiver", "alert_delivery")
"""Tables of which a server's empty database may have rows."""


def remove_receivers(file: Path) -> None:
    """Remove all receivers from a copied database, with what waits for them.

    The file is written anew without its free pages, in which rows that were deleted, now or long
    before the copy, can still be read.
    """
    fresh = file.with_name(f"{file.name}.fresh")
    with closing(sqlite3.connect(file)) as connection:
        with connection:
            connection.execute("DELETE FROM alert_delivery")
            connection.execute("DELETE FROM alert_receiver")
        connection.execute("VACUUM INTO ?", (str(fresh),))
    fresh.replace(file)


def read_receivers(locations: Locations) -> list[AlertReceiver]:
    """Read the receivers of the database that is replaced; none if there is none, or if it cannot
    be read, which may be the reason why it is replaced."""
    if locations.file is not None and not locations.file.is_file():
        return []
    database = Database(locations.url)
    try:
        with database.read() as session:
            return list(session.exec(select(AlertReceiver)).all())
    except SQLAlchemyError:
        return []
    finally:
        database.close()


def keep_receivers(database: Database, own: Sequence[AlertReceiver]) -> None:
    """Give a restored database the receivers that were there, but for those of comparisons that it
    does not have."""
    with database.write() as write:
        session = write.session
        session.connection().execute(delete(AlertReceiver))
        known = set(session.exec(select(col(Comparison.id))).all())
        session.add_all(
            AlertReceiver.model_validate(row.model_dump())
            for row in own
            if row.comparison_id is None or row.comparison_id in known
        )
