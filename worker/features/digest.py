"""What tells one set of items from another: their content."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from worker.data import ImageFiles, Items
from worker.errors import DataError
from worker.reporting.progress import Progress

FILES: Final = 64
"""Read by a thread at a time."""


def digest_of(items: Items, progress: Progress) -> str:
    """SHA-256 of the items in their order, as hexadecimal digits.

    Of a tensor its type, shape and bytes; of files their bytes, whatever their names and times.

    Raises:
        DataError: a file cannot be read.
        CancelledError: by `progress`.
    """
    digest = hashlib.sha256()
    if isinstance(items, Tensor):
        digest.update(f"tensor {items.dtype} {list(items.shape)}".encode())
        digest.update(items.detach().cpu().contiguous().numpy().data)
        return digest.hexdigest()
    digest.update(f"files {len(items)}".encode())
    what, done = "looking whether features are there", 0
    progress(what, done, len(items), "images")
    pool = ThreadPoolExecutor(torch.get_num_threads(), thread_name_prefix="digest")
    try:
        for part in pool.map(_of_files, _parts(items)):
            digest.update(b"".join(part))
            done += len(part)
            progress(what, done, len(items), "images")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return digest.hexdigest()


def _parts(files: ImageFiles) -> list[Sequence[Path]]:
    return [files.paths[start : start + FILES] for start in range(0, len(files), FILES)]


def _of_files(paths: Sequence[Path]) -> list[bytes]:
    """32 bytes for each."""
    digests = []
    for path in paths:
        try:
            with path.open("rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error}. Put it back or remove it.") from error
    return digests
