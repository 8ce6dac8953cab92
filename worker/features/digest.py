"""What tells one set of images from another: their content."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from torch import Tensor

from worker.data import Items
from worker.errors import DataError
from worker.features.decode import THREADS
from worker.progress import Progress


def digest_of(items: Items, progress: Progress) -> str:
    """SHA-256 over the items in their order; of files over their bytes, whatever their names.

    Raises:
        DataError: a file cannot be read.
        CancelledError: by `progress`.
    """
    digest = hashlib.sha256()
    if isinstance(items, Tensor):
        digest.update(f"{items.dtype} {tuple(items.shape)}".encode())
        digest.update(items.contiguous().numpy().data)
        return digest.hexdigest()
    with ThreadPoolExecutor(THREADS, thread_name_prefix="digest") as pool:
        for done, one in enumerate(pool.map(_of_file, items.paths), start=1):
            digest.update(one)
            if not done % 500:
                progress("looking images up in the cache", done, len(items), "images")
    return digest.hexdigest()


def _of_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
