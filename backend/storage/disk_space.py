"""Room on the disk: how much must stay free, and how a disk shows that it takes no more.

Imports nothing of ours, because the process that checks an upload imports it (see
backend.datasets.check_report).
"""

import errno
import shutil
import tempfile
from pathlib import Path
from typing import Final

RESERVED_BYTES: Final = 100_000_000
"""Bytes that uploads must leave free: the database is on the same disk."""
DISK_FULL_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers of a write that failed because the disk has no room."""
UNWRITABLE_ERRORS: Final = frozenset(
    {errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.ENOTDIR, errno.ENOENT, errno.EEXIST}
)
"""Error numbers of a write that failed because the folder takes none."""
PROBE_BYTES: Final = 4_096


def has_room(folder: Path, size: int) -> bool:
    """Return whether this many bytes may still be written below a folder."""
    return shutil.disk_usage(folder).free >= size + RESERVED_BYTES


def write_problem(folder: Path) -> str | None:
    """Write a little into a folder; return what went wrong, or None. It leaves no file."""
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".probe-") as file:
            file.write(bytes(PROBE_BYTES))
            file.flush()
    except OSError as error:
        return describe_write_error(error, folder)
    return None


def describe_write_error(error: OSError, folder: Path) -> str:
    """Return a sentence about a failed write below a folder, with what to do."""
    reason = error.strerror or str(error)
    if error.errno in DISK_FULL_ERRORS:
        return f"the disk of {folder} has no room ({reason}); delete comparisons, or give it more"
    return (
        f"the folder {folder} cannot be written ({reason}); make it a folder that the API may write"
    )
