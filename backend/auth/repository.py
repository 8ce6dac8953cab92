"""The trail of who did what, the newest entries of it."""

from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from backend.db.database import Database
from backend.db.models import Audit

KEPT: Final = 100_000
"""Entries; older ones go."""


def put(database: Database, entry: Audit, kept: int = KEPT) -> None:
    """Add an entry, and let the one go that is too old by it."""
    with database.write() as write:
        write.session.add(entry)
        write.session.flush()
        assert entry.id is not None
        write.session.connection().execute(delete(Audit).where(col(Audit.id) <= entry.id - kept))


def listed(
    session: Session, *, who: str | None, page: int, page_size: int
) -> tuple[list[Audit], int]:
    """A page of entries, the newest first, and how many there are.

    Args:
        session: a view.
        who: of one person only; "" for callers that nobody knows.
        page: from 1.
        page_size: entries of a page.
    """
    wanted = [] if who is None else [col(Audit.who) == who]
    total = session.exec(select(func.count()).select_from(Audit).where(*wanted)).one()
    newest = select(Audit).where(*wanted).order_by(col(Audit.id).desc())
    found = session.exec(newest.offset((page - 1) * page_size).limit(page_size)).all()
    return list(found), total
