"""The locks of a data folder.

The API holds two locks while it serves: one that no other API may hold, and one that a restore or a
migration takes while it changes the folder. The locks are the kernel's: they end with the process
that holds them, however it ends.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Final

from backend.db.exclusive import FileHold, InUseError
from backend.errors import SettingsError
from backend.http.dependencies import from_state

SERVING_LOCK: Final = "serving.lock"
"""Held by the one API that serves the folder, and by no command."""
API_LOCK: Final = "api.lock"
LAUNCHER_LOCK: Final = "launcher.lock"
"""Held by the launcher as long as it runs, even while its API does not."""
BACKUP_LOCK: Final = "backup.lock"
BACKUP_LINKS: Final = ".backup"
"""Folder within the data folder that keeps the files of a backup while it is made."""
RESTORE_FOLDER: Final = ".restoring"
"""Folder within the data folder for what a restore is about to move to its final place."""
RESTORE_JOURNAL: Final = f"{RESTORE_FOLDER}/journal.json"
"""Exists while a restore moves files."""


class DataFolderLock:
    """The API's locks on its data folder, held from the start until `release`."""

    def __init__(self, folder: Path) -> None:
        """Take the locks.

        Raises:
            SettingsError: another API serves the folder; or it is being restored or changed, or a
                restore was interrupted.
        """
        try:
            self._serving = FileHold(folder / SERVING_LOCK, f"the data folder {folder.resolve()}")
        except InUseError as error:
            raise SettingsError(str(error)) from None
        self._file = os.open(folder / API_LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise SettingsError(
                f"the data folder {folder} is being restored, copied or migrated; "
                "start again when that is done"
            ) from None
        if (folder / RESTORE_JOURNAL).exists():
            self.release()
            raise SettingsError(
                f"a restore into {folder} was cut off while it put files in their places; "
                "run the same restore again, which completes it"
            )

    def release(self) -> None:
        """Release the locks."""
        os.close(self._file)
        self._serving.release()


def delete_backup_links(folder: Path) -> None:
    """Delete the links of a backup that was killed: they would keep the room of deleted files
    taken."""
    try:
        with exclusive_locks(folder, BACKUP_LOCK):
            shutil.rmtree(folder / BACKUP_LINKS, ignore_errors=True)
    except BlockingIOError:
        pass  # a backup is being made now


@contextmanager
def exclusive_locks(folder: Path, *locks: str) -> Iterator[None]:
    """Hold these locks exclusively.

    Raises:
        BlockingIOError: another process holds the lock that `filename` names.
    """
    with ExitStack() as held:
        for name in locks:
            file = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            held.callback(os.close, file)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise BlockingIOError(error.errno, error.strerror, name) from None
        yield


DataFolder = Annotated[Path, from_state("data_folder")]
