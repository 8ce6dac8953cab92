"""Opening only regular files: a pipe would block its reader for ever, a device never ends."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Final

_KINDS: Final = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
    stat.S_IFREG: "a file",
}
"""Type of a file, by the bits of its mode -> its name in messages."""


class NotRegularError(OSError):
    """A path leads to something that is no regular file; says to what."""


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading, or what a link to one leads to.

    Raises:
        NotRegularError: it is a pipe, a device, a socket or a folder, which is not opened.
        OSError: it cannot be opened.
    """
    _check(path.stat().st_mode)  # opening a device can have effects
    # What lies there may have changed since: opening it must not wait, and is judged again.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


@contextmanager
def regular_file(path: Path) -> Iterator[Path]:
    """Hold a regular file open, and give a path of it to a library that opens files by path.

    On Linux the path leads to the open file, whatever lies at its old path meanwhile.

    Raises:
        NotRegularError: it is a pipe, a device, a socket or a folder, which is not opened.
        OSError: it cannot be opened.
    """
    with open_regular(path) as file:
        yield Path(f"/proc/self/fd/{file.fileno()}") if sys.platform == "linux" else path


def kind_of(path: Path) -> str:
    """Return what a path that is no regular file leads to, for people."""
    try:
        return _kind(path.stat().st_mode)
    except OSError:
        return "a link to nothing"


def _kind(mode: int) -> str:
    return _KINDS.get(stat.S_IFMT(mode), "something else")


def _check(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise NotRegularError(f"it is {_kind(mode)}, and only regular files are read")
