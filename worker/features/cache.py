"""Arrays that were computed once, kept in a folder under the digest of all that decides them."""

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np

from worker.data.locks import locked
from worker.progress import Progress

log = logging.getLogger(__name__)

Fill = Callable[[np.ndarray], None]


def kept(
    folder: Path, key: str, shape: tuple[int, int], fill: Fill, progress: Progress
) -> np.ndarray:
    """The array of a key, float32, mapped from its file; computed now if nobody has before.

    Args:
        folder: of the cache.
        key: digest of all that decides the values.
        shape: of the array.
        fill: writes the values into an array of that shape. Whatever it raises leaves no file.
        progress: told while another process computes the same.

    Raises:
        DataError: the folder cannot be written to.
        CancelledError: by `progress`.
    """
    path = folder / f"{key}.npy"
    if (found := _read(path, shape)) is not None:
        return found
    with locked(folder, key, progress):
        if (found := _read(path, shape)) is not None:  # another process was first
            return found
        partial = path.with_suffix(".partial")
        try:
            made = np.lib.format.open_memmap(partial, "w+", np.float32, shape)
            fill(made)
            made.flush()
            del made
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    kept_now: np.ndarray = np.load(path, mmap_mode="r")
    return kept_now


def _read(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """What is kept; None where nothing whole is."""
    if not path.is_file():
        return None
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        log.warning("%s is damaged and computed anew: %s", path, error)
        return None
    return found if found.shape == shape and found.dtype == np.float32 else None
