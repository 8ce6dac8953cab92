"""The folder of uploads: one folder for each data set, and one for what is not yet one."""

import asyncio
import errno
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

UPLOADS: Final = "uploads"
"""Their folder's name within the data folder."""
CONTENT: Final = "content"
"""The uploaded file, as it came."""
THUMBNAILS: Final = "thumbnails.zip"
"""Small JPEGs, named by their number; only beside images."""
FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What writing fails with when there is no room."""

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
