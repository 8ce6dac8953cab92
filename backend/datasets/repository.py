"""Uploaded data sets: keep, find, delete.

The folder of uploads: one folder for each data set, and one for what is not yet one.
"""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Final

from sqlmodel import Session, col, select

from backend.db.database import Write
from backend.db.models import Comparison, Dataset
from backend.errors import ConflictError, NotFoundError
from backend.http.dependencies import from_state

_NAMED = 3
"""Comparisons that a refusal names; further ones are counted."""


def find(session: Session, dataset: str) -> Dataset | None:
    """One data set, if there is one of that id."""
    return session.get(Dataset, dataset)


def get(session: Session, dataset: str) -> Dataset:
    """One data set.

    Raises:
        NotFoundError: there is none of that id.
    """
    found = find(session, dataset)
    if found is None:
        raise NotFoundError(f"there is no data set {dataset!r}")
    return found


def listed(session: Session) -> list[Dataset]:
    """All data sets, newest first."""
    newest = select(Dataset).order_by(col(Dataset.created_at).desc(), col(Dataset.id))
    return list(session.exec(newest).all())


def put(write: Write, dataset: Dataset) -> None:
    """Store a new data set."""
    write.session.add(dataset)
    write.session.flush()


def remove(write: Write, dataset: str) -> None:
    """Delete a data set's row.

    Raises:
        NotFoundError: there is none of that id.
        ConflictError: comparisons are made of it; names them.
    """
    found = get(write.session, dataset)
    users = _users(write.session, dataset)
    if users:
        shown = ", ".join(f"{user.name!r} ({user.id})" for user in users[:_NAMED])
        more = f" and {len(users) - _NAMED} more" if len(users) > _NAMED else ""
        raise ConflictError(
            f"{found.name!r} is the data of {shown}{more}; delete the comparisons first, for their "
            "runs may need it again"
        )
    write.session.delete(found)


def _users(session: Session, dataset: str) -> list[Comparison]:
    """Comparisons whose spec names the data set, oldest first."""
    named = col(Comparison.spec)[("data", "dataset")].as_string()
    users = select(Comparison).where(named == dataset).order_by(col(Comparison.created_at))
    return list(session.exec(users).all())


UPLOADS: Final = "uploads"
"""Their folder's name within the data folder."""
CONTENT: Final = "content"
"""The uploaded file, as it came."""
THUMBNAILS: Final = "thumbnails.zip"
"""Small JPEGs, named by their number; only beside images."""
DISK_FULL: Final = 28
"""The exit code by which the checking process says so."""
NO_ROOM: Final = "the API's disk has no room for it; delete data sets, or give it more"


class Uploads:
    """Data sets on disk. A folder comes whole, by one rename, and goes by one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / ".incoming"

    def open(self) -> None:
        """Make the folders; remove what an earlier process left unfinished."""
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True, exist_ok=True)

    @asynccontextmanager
    async def incoming(self) -> AsyncIterator[Path]:
        """A new folder, which is gone afterwards unless it was kept."""
        folder = Path(tempfile.mkdtemp(dir=self._incoming))
        try:
            yield folder
        finally:
            # In a thread, for many files may have been unpacked there.
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True))

    def keep(self, incoming: Path, dataset: str) -> None:
        """Make an incoming folder the data set's; it replaces one that no row speaks of."""
        self.remove(dataset)
        incoming.rename(self._root / dataset)

    def content(self, dataset: str) -> Path:
        """The uploaded file."""
        return self._root / dataset / CONTENT

    def thumbnails(self, dataset: str) -> Path:
        """The thumbnails of images."""
        return self._root / dataset / THUMBNAILS

    def has(self, dataset: str, size: int) -> bool:
        """Whether the uploaded file is there in its full length."""
        content = self.content(dataset)
        return content.is_file() and content.stat().st_size == size

    def remove(self, dataset: str) -> None:
        """Delete a data set's files, if there are any."""
        folder = self._root / dataset
        if folder.exists():
            # Renamed first: half a folder never stands under the data set's name.
            grave = Path(tempfile.mkdtemp(dir=self._incoming))
            folder.rename(grave / dataset)
            shutil.rmtree(grave, ignore_errors=True)


UploadFolder = Annotated[Uploads, from_state("uploads")]
