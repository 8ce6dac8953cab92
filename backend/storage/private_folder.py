"""A data folder that only its owner can read: on a shared machine others may look into it."""

import logging
import os
import pwd
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from backend.errors import SettingsError

PRIVATE_UMASK: Final = 0o077
"""With this umask a process makes files and folders that only its user can read."""
_OTHERS: Final = 0o077
"""The permissions of everyone but the owner."""

log = logging.getLogger(__name__)


def make_private(folder: Path) -> None:
    """Make the folder, or take what others may do from it and everything in it.

    Links are not followed. A file whose permissions cannot be changed, as on some network drives,
    is left as it is, and the log says how many there are.

    Raises:
        SettingsError: the folder belongs to another user, or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise SettingsError(
            f"the data folder {folder} cannot be made: {error.strerror}; "
            "choose another with LOSSBOARD_DATA_DIR"
        ) from None
    if status.st_uid != os.geteuid():
        raise SettingsError(
            f"the data folder {folder} belongs to {_user_name(status.st_uid)}, not to "
            f"{_user_name(os.geteuid())}; start Lossboard as its owner, or choose another folder "
            "with LOSSBOARD_DATA_DIR"
        )
    if status.st_mode & _OTHERS:
        # The folder itself comes last: a start that was cut off does all of it again.
        refused = [path for path in (*_inside(folder), folder) if not _tighten(path)]
        if refused:
            log.warning(
                "the permissions of %d files of the data folder cannot be changed, so other users "
                "of this machine may read them; the first is %s",
                len(refused),
                refused[0],
            )


def _inside(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(parent, name)


def _tighten(path: Path) -> bool:
    """Return whether others cannot use the file now; a link counts as done."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode) or not mode & _OTHERS:
            return True
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
        return not path.stat().st_mode & _OTHERS
    except FileNotFoundError:
        return True  # deleted meanwhile
    except OSError:
        return False


def _user_name(number: int) -> str:
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"
