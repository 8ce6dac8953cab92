"""A cache of arrays on disk: each in a file named after the digest of all that decides its values.

A process may be killed at any time without harm: an array is written to a file of another name,
flushed to the disk, and only then renamed. The folder is kept below a size limit; the arrays used
least recently are removed first.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from worker.data.sources.locks import locked
from worker.errors import DataError
from worker.reporting.progress import Progress

WAITING: Final = "waiting for another run that computes these features"
ABANDONED_S: Final = 24 * 3600
"""Age after which a partial file is certain to be left over from a process that ended."""

Rows = Callable[[], Generator[np.ndarray, None, None]]
"""Computes an array and yields its rows, some at a time."""

log = logging.getLogger(__name__)


def cached_array(
    folder: Path,
    key: str,
    shape: tuple[int, int],
    rows: Rows,
    *,
    limit_bytes: int,
    progress: Progress,
) -> np.ndarray:
    """Return the array of a key from its file, or compute it and write the file.

    Args:
        folder: of the cache; created if it does not exist.
        key: digest of all that decides the values.
        shape: of the array, whose type is float32.
        rows: computes the array. Only one process at a time computes a key, others wait for it; an
            error leaves no file.
        limit_bytes: bytes that the folder may hold, this array not counted.
        progress: gets a report while another process computes the same array.

    Raises:
        DataError: the folder cannot be written to.
        CancelledError: by `progress`.
    """
    path = folder / f"{key}.npy"
    try:
        if (found := _read(path, shape)) is not None:
            return found
        with locked(folder, key, lambda *_: progress(WAITING, 0, None)):
            if (found := _read(path, shape)) is None:  # no other process was first
                _write(path, shape, rows)
                _make_room(folder, path, limit_bytes)
                found = _read(path, shape)
    except OSError as error:
        raise DataError(
            f"features cannot be kept in {folder}: {error}. Make room or make it writable, or name "
            "another folder in LOSSBOARD_CACHE_DIR."
        ) from error
    if found is None:
        raise DataError(f"{path} cannot be read right after it was written. Look at its disk.")
    return found


def _read(path: Path, shape: tuple[int, int]) -> np.ndarray | None:
    """Return the array of a file; None if there is none. A damaged file is removed."""
    try:
        with path.open("rb") as file:
            found = _load(file, shape)
        with contextlib.suppress(OSError):  # the folder may be read-only
            os.utime(path)  # the time of its last use
        return found
    except FileNotFoundError:
        return None
    except (ValueError, EOFError) as error:
        log.warning("%s is damaged and is computed anew: %s", path, error)
        path.unlink(missing_ok=True)
        return None


def _load(file: BinaryIO, shape: tuple[int, int]) -> np.ndarray:
    """Load an array.

    Raises:
        ValueError, EOFError: it is not a whole float32 array of that shape.
    """
    found = np.load(file, allow_pickle=False)
    if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype != np.float32:
        raise ValueError(
            f"expected float32 {shape}, found {getattr(found, 'dtype', 'no array')} "
            f"{getattr(found, 'shape', '')}"
        )
    if file.read(1):
        raise ValueError("there is more in the file than its array")
    return found


def _write(path: Path, shape: tuple[int, int], rows: Rows) -> None:
    """Write an array batch by batch, so that no more is held in memory; a full disk is an error."""
    # No other process writes this file; if it exists, it is left over.
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file, contextlib.closing(rows()) as parts:
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
            for part in parts:
                file.write(np.ascontiguousarray(part, dtype="<f4").data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _make_room(folder: Path, new: Path, limit_bytes: int) -> None:
    """Remove arrays, least recently used first, until all but the new one are below the limit;
    remove partial files of killed processes too."""
    for partial in folder.glob("*.partial"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - partial.stat().st_mtime > ABANDONED_S:
                partial.unlink()
    others = []
    for path in folder.glob("*.npy"):
        with contextlib.suppress(FileNotFoundError):
            facts = path.stat()
            if path != new:
                others.append((facts.st_mtime, facts.st_size, path))
    held = sum(size for _, size, _ in others)
    for _, size, path in sorted(others):
        if held <= limit_bytes:
            break
        log.warning("%s goes, for the cache is larger than LOSSBOARD_CACHE_GB", path)
        path.unlink(missing_ok=True)
        held -= size
