"""Features of a frozen backbone: read from the cache, or computed and added to it.

The cache's key is a digest of the items' content, the backbone's weights and its preparation, so
that renamed or moved files keep their features and changed ones get new features.
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

from contract.dataset_files.image_pixels import NO_BACKGROUND
from contract.dataset_files.regular_file import open_regular
from worker.data import ImageFiles, Items, Texts
from worker.encoders.networks import Backbone
from worker.encoders.text.model import TextModel
from worker.errors import DataError
from worker.features.cache import cached_array
from worker.features.decode import decode_batches
from worker.reporting.progress import Progress
from worker.settings import cache_bytes

FEATURES_FOLDER: Final = "features"
"""Below the cache's folder."""
BATCH: Final = 64
"""Images that go through the backbone at once."""
TEXT_BATCH: Final = 256
"""The same of texts."""
FILES_PER_TASK: Final = 64
"""Files whose digest one thread computes at a time."""


def extract_features(
    items: Items,
    backbone: Backbone | TextModel,
    device: torch.device,
    *,
    cache: Path,
    progress: Progress,
    batch: int | None = None,
) -> Tensor:
    """Return features [N, F] float32 of all items, computed once for the same items and backbone.

    Args:
        items: images, image files, of which only a few are held in memory at a time, or texts.
        backbone: of images or of texts, in evaluation mode, on the device.
        device: that computes the features.
        cache: the cache's folder; the features are kept in its `features`.
        progress: gets the number of items done.
        batch: items that go through the backbone at once; None for the usual number.

    Returns:
        Features on the CPU.

    Raises:
        DataError: an item cannot be read, its features are not finite, or the cache cannot be
            written.
        CancelledError: by `progress`; features computed so far are not kept.
    """
    array = cached_array(
        cache / FEATURES_FOLDER,
        cache_key(items, backbone, progress),
        (len(items), backbone.features),
        lambda: _compute(items, backbone, device, batch or _usual_batch(items), progress),
        limit_bytes=cache_bytes(),
        progress=progress,
    )
    return torch.from_numpy(array)


def cache_key(items: Items, backbone: Backbone | TextModel, progress: Progress) -> str:
    """Return the SHA-256 digest of all that decides the features: the backbone's weights, its
    preparation of images or its tokenizer, and the items' content."""
    return hashlib.sha256(f"{backbone.digest} {items_digest(items, progress)}".encode()).hexdigest()


def items_digest(items: Items, progress: Progress) -> str:
    """Return the SHA-256 digest of the items in their order, as hexadecimal digits.

    Of a tensor it covers type, shape and bytes; of files their bytes, but not their names or times,
    and the background of transparent parts; of texts their words.

    Raises:
        DataError: a file cannot be read.
        CancelledError: by `progress`.
    """
    digest = hashlib.sha256()
    if isinstance(items, Tensor):
        digest.update(f"tensor {items.dtype} {list(items.shape)}".encode())
        digest.update(items.detach().cpu().contiguous().numpy().data)
        return digest.hexdigest()
    if isinstance(items, Texts):
        digest.update(f"texts {len(items)}".encode())
        for text in items.texts:
            content = text.encode()
            digest.update(f" {len(content)} ".encode() + content)
        return digest.hexdigest()
    digest.update(f"files {len(items)}".encode())
    if items.background != NO_BACKGROUND:  # features without one keep the digest that they had
        digest.update(f" on {items.background} ".encode())
    what, done = "looking whether features are there", 0
    progress(what, done, len(items), "images")
    pool = ThreadPoolExecutor(torch.get_num_threads(), thread_name_prefix="digest")
    try:
        for part in pool.map(_file_digests, _chunks(items)):
            digest.update(b"".join(part))
            done += len(part)
            progress(what, done, len(items), "images")
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    return digest.hexdigest()


def _chunks(files: ImageFiles) -> list[Sequence[Path]]:
    return [
        files.paths[start : start + FILES_PER_TASK]
        for start in range(0, len(files), FILES_PER_TASK)
    ]


def _file_digests(paths: Sequence[Path]) -> list[bytes]:
    """Return the digests of files, 32 bytes each."""
    digests = []
    for path in paths:
        try:
            with open_regular(path) as file:
                digests.append(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error}. Put it back or remove it.") from error
    return digests


def _usual_batch(items: Items) -> int:
    return TEXT_BATCH if isinstance(items, Texts) else BATCH


def _compute(
    items: Items,
    backbone: Backbone | TextModel,
    device: torch.device,
    batch: int,
    progress: Progress,
) -> Generator[np.ndarray, None, None]:
    """Yield features batch by batch; while the device computes one, the next is decoded."""
    what, done = "computing features", 0
    unit = "texts" if isinstance(items, Texts) else "images"
    progress(what, done, len(items), unit)
    with closing(_inputs(items, backbone, batch)) as inputs:
        for part in inputs:
            with torch.inference_mode():
                found = backbone(part.to(device)).to("cpu", torch.float32)
            _check_finite(found, items, done)
            yield found.numpy()
            done += len(part)
            progress(what, done, len(items), unit)


def _inputs(
    items: Items, backbone: Backbone | TextModel, batch: int
) -> Generator[Tensor, None, None]:
    """Yield what goes through the backbone, batch by batch: images, or tokens of texts."""
    if isinstance(items, Texts):
        assert isinstance(backbone, TextModel), "texts have encoders of their own"
        for start in range(0, len(items), batch):
            yield backbone.tokens(items.texts[start : start + batch])
    elif isinstance(items, ImageFiles):
        assert isinstance(backbone, Backbone), "images have encoders of their own"
        yield from decode_batches(items, resize=backbone.resize, crop=backbone.crop, size=batch)
    else:
        yield from torch.split(items, batch)


def _check_finite(found: Tensor, items: Items, first: int) -> None:
    """Raise DataError if features of items from place `first` on are not finite; names one item."""
    broken = (~found.isfinite().all(dim=1)).nonzero().flatten().tolist()
    if broken:
        at = first + broken[0]
        name = items.paths[at] if isinstance(items, ImageFiles) else f"item {at}"
        raise DataError(
            f"the backbone's features of {name} are not finite. Look at its weights file."
        )
