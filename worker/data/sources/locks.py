"""A lock between processes that work in the same folder of data sets."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from worker.reporting.progress import SILENT, Progress

RETRY_S: Final = 0.2
"""Seconds between two attempts to take the lock."""


@contextmanager
def locked(folder: Path, name: str, progress: Progress = SILENT) -> Iterator[None]:
    """Hold the lock of that name in a folder; wait while another process holds it.

    It is a lock of the kernel, so it ends with the process that holds it, also when that is killed.

    Args:
        folder: made if it does not exist.
        name: name of the lock; its hidden file is never removed.
        progress: called while waiting, so that a wait can be cancelled.

    Raises:
        OSError: the folder cannot be written.
        CancelledError: raised by `progress`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress(f"waiting for another run at {name}", 0, None)
                time.sleep(RETRY_S)
        yield
