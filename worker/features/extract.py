"""A frozen backbone's features of all items: from the cache, or computed into it.

What tells one set of items from another: their content.
"""

import hashlib
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from worker.data import ImageFiles, Items
from worker.encoders.networks import Backbone
from worker.errors import DataError
from worker.features import cache as arrays
from worker.features.decode import decode_batches
from worker.reporting.progress import Progress
from worker.settings import cache_bytes

FILES_PER_TASK: Final = 64
"""Read by a thread at a time."""


def items_digest(items: Items, progress: Progress) -> str:
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
    return [
        files.paths[start : start + FILES_PER_TASK]
        for start in range(0, len(files), FILES_PER_TASK)
    ]


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


FEATURES_FOLDER: Final = "features"
"""Of the cache's."""
BATCH: Final = 64
"""Images that go through the backbone at once."""


def extract_features(
    items: Items,
    backbone: Backbone,
    device: torch.device,
    *,
    cache: Path,
    progress: Progress,
    batch: int = BATCH,
) -> Tensor:
    """Features [N, F] float32 of all items, computed once for the same items and backbone.

    Args:
        items: images, or files of them, of which only a few are ever held in memory.
        backbone: in evaluation mode, on the device.
        device: that computes.
        cache: folder in whose `features` they are kept.
        progress: told how many images are done.
        batch: images that go through the backbone at once.

    Returns:
        Features on the CPU.

    Raises:
        DataError: an image cannot be read, its features are not finite, or the cache cannot be
            written.
        CancelledError: by `progress`; nothing half computed is kept.
    """
    found = arrays.cached_array(
        cache / FEATURES_FOLDER,
        cache_key(items, backbone, progress),
        (len(items), backbone.features),
        lambda: _computed(items, backbone, device, batch, progress),
        limit_bytes=cache_bytes(),
        progress=progress,
    )
    return torch.from_numpy(found)


def cache_key(items: Items, backbone: Backbone, progress: Progress) -> str:
    """SHA-256 of all that decides the features: weights, preparation, the items' content."""
    return hashlib.sha256(f"{backbone.digest} {items_digest(items, progress)}".encode()).hexdigest()


def _computed(
    items: Items, backbone: Backbone, device: torch.device, batch: int, progress: Progress
) -> Generator[np.ndarray, None, None]:
    """Features batch by batch; while the device computes one, the next is decoded."""
    what, done = "computing features", 0
    progress(what, done, len(items), "images")
    with closing(_images(items, backbone, batch)) as images:
        for part in images:
            with torch.inference_mode():
                found = backbone(part.to(device)).to("cpu", torch.float32)
            _check(found, items, done)
            yield found.numpy()
            done += len(part)
            progress(what, done, len(items), "images")


def _images(items: Items, backbone: Backbone, batch: int) -> Generator[Tensor, None, None]:
    if isinstance(items, ImageFiles):
        yield from decode_batches(items, resize=backbone.resize, crop=backbone.crop, size=batch)
    else:
        yield from torch.split(items, batch)


def _check(found: Tensor, items: Items, first: int) -> None:
    broken = (~found.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if broken:
        at = first + broken[0]
        name = items.paths[at] if isinstance(items, ImageFiles) else f"item {at}"
        raise DataError(
            f"the backbone's features of {name} are not finite. Look at its weights file."
        )
