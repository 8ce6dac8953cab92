"""One process at a time in a folder of data sets."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from worker.reporting.progress import SILENT, Progress

ASK_AGAIN_S: Final = 0.2


@contextmanager
def locked(folder: Path, name: str, progress: Progress = SILENT) -> Iterator[None]:
    """Hold a folder's lock of that name; wait for it while another process does.

    The lock is the kernel's and ends with its holder, however that ends.

    Args:
        folder: made if it is not there.
        name: of the lock, whose file is hidden and stays.
        progress: told that somebody waits, so that a wait can be cancelled.

    Raises:
        OSError: the folder cannot be written.
        CancelledError: by `progress`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f".{name}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                progress(f"waiting for another run at {name}", 0, None)
                time.sleep(ASK_AGAIN_S)
        yield
