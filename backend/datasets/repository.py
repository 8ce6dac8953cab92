"""Uploaded data sets: their rows in the database, and their files in the folder of uploads."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

from sqlalchemy import func
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, or_, select

from backend.datasets.check_report import CONTENT, THUMBNAILS
from backend.db.database import Write
from backend.db.models import Comparison, Dataset
from backend.errors import ConflictError, NotFoundError
from backend.http.dependencies import from_state

UPLOADS: Final = "uploads"
"""Name of the folder of uploads within the data folder."""
NO_ROOM: Final = "the API's disk has no room for it; delete data sets, or give it more"
_MAX_NAMED: Final = 3
"""Number of comparisons that an error message names; further ones are counted."""


def find(session: Session, dataset: str) -> Dataset | None:
    """Return one data set; None if none has this id."""
    return session.get(Dataset, dataset)


def get(session: Session, dataset: str) -> Dataset:
    """Return one data set.

    Raises:
        NotFoundError: no data set has this id.
    """
    found = find(session, dataset)
    if found is None:
        raise NotFoundError(f"there is no data set {dataset!r}")
    return found


def list_all(session: Session) -> list[Dataset]:
    """Return all data sets, newest first."""
    return find_page(session, q="", kind=None, page=1, page_size=None)[0]


def find_page(
    session: Session, *, q: str, kind: str | None, page: int, page_size: int | None
) -> tuple[list[Dataset], int]:
    """Return one page of the data sets that match, newest first, and how many match in all.

    Args:
        session: of the database.
        q: words, each of which must occur in the name or be the id.
        kind: their kind; None matches any.
        page: from 1.
        page_size: data sets of a page; None returns all that match.
    """
    conditions: list[ColumnElement[bool]] = [
        or_(col(Dataset.name).icontains(word, autoescape=True), col(Dataset.id) == word)
        for word in q.split()
    ]
    if kind is not None:
        conditions.append(col(Dataset.kind) == kind)
    total = session.exec(select(func.count()).select_from(Dataset).where(*conditions)).one()
    newest = (
        select(Dataset).where(*conditions).order_by(col(Dataset.created_at).desc(), col(Dataset.id))
    )
    if page_size is not None:
        newest = newest.offset((page - 1) * page_size).limit(page_size)
    return list(session.exec(newest).all()), total


def add(write: Write, dataset: Dataset) -> None:
    """Store a new data set."""
    write.session.add(dataset)
    write.session.flush()


def remove(write: Write, dataset: str) -> None:
    """Delete a data set's row.

    Raises:
        NotFoundError: no data set has this id.
        ConflictError: comparisons use it; names them.
    """
    found = get(write.session, dataset)
    users = _users(write.session, dataset)
    if users:
        shown = ", ".join(f"{user.name!r} ({user.id})" for user in users[:_MAX_NAMED])
        more = f" and {len(users) - _MAX_NAMED} more" if len(users) > _MAX_NAMED else ""
        raise ConflictError(
            f"{found.name!r} is the data of {shown}{more}; delete the comparisons first, for their "
            "runs may need it again"
        )
    write.session.delete(found)


def find_unanswered(session: Session, before: float) -> list[str]:
    """Return the data sets that have waited for answers since before a time."""
    old = session.exec(select(Dataset).where(col(Dataset.created_at) < before)).all()
    return [row.id for row in old if row.questions]


def _users(session: Session, dataset: str) -> list[Comparison]:
    """Return the comparisons whose spec names the data set, oldest first."""
    named = col(Comparison.spec)[("data", "dataset")].as_string()
    users = select(Comparison).where(named == dataset).order_by(col(Comparison.created_at))
    return list(session.exec(users).all())


class Uploads:
    """The folder of uploads: one folder for each data set, and one for uploads in progress.

    The folder of a data set appears complete, by one rename, and disappears by one.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / ".incoming"

    @property
    def root(self) -> Path:
        """The folder of all data sets."""
        return self._root

    @property
    def folders(self) -> tuple[Path, Path]:
        """The folders that must be writable."""
        return self._root, self._incoming

    def open(self) -> None:
        """Create the folders; delete uploads that an earlier process left unfinished."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True, exist_ok=True)

    @asynccontextmanager
    async def incoming(self) -> AsyncIterator[Path]:
        """Yield a new folder, and delete it afterwards unless `keep` has moved it."""
        folder = Path(tempfile.mkdtemp(dir=self._incoming))
        try:
            yield folder
        finally:
            # In a thread, as many files may have been unpacked there.
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    def keep(self, incoming: Path, dataset: str) -> None:
        """Move an incoming folder to the data set's place; it replaces one that has no row."""
        self.remove(dataset)
        incoming.rename(self._root / dataset)

    def content(self, dataset: str) -> Path:
        """Return the path of the uploaded file."""
        return self._root / dataset / CONTENT

    def thumbnails(self, dataset: str) -> Path:
        """Return the path of the archive of thumbnails."""
        return self._root / dataset / THUMBNAILS

    def has(self, dataset: str, size: int) -> bool:
        """Return whether the uploaded file exists with its full size."""
        content = self.content(dataset)
        return content.is_file() and content.stat().st_size == size

    def remove(self, dataset: str) -> None:
        """Delete a data set's files, if there are any."""
        folder = self._root / dataset
        if folder.exists():
            # Renamed first, so that no incomplete folder ever has the data set's name.
            deleted = Path(tempfile.mkdtemp(dir=self._incoming))
            folder.rename(deleted / dataset)
            shutil.rmtree(deleted, ignore_errors=True)


UploadFolder = Annotated[Uploads, from_state("uploads")]
