"""Room on the disk: how much must stay free, and how a full disk shows.

Imports nothing of ours, because the process that checks an upload imports it (see
backend.datasets.check_report).
"""

import errno
import shutil
from pathlib import Path
from typing import Final

RESERVED_BYTES: Final = 100_000_000
"""Bytes that uploads must leave free: the database is on the same disk."""
DISK_FULL_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Error numbers of a write that failed because the disk has no room."""


def has_room(folder: Path, size: int) -> bool:
    """Return whether this many bytes may still be written below a folder."""
    return shutil.disk_usage(folder).free >= size + RESERVED_BYTES
