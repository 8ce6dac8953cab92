"""Files of images to tensors of pixels, by several threads."""

from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from worker.data import ImageFiles
from worker.encoders.networks import load_image
from worker.reporting.progress import Progress

BATCH: Final = 64
"""Images decoded between two words about it."""
AHEAD: Final = 2
"""Batches decoded or waiting at once; more images than these are never held."""


def decode_images(
    files: ImageFiles, *, resize: int, crop: int, progress: Progress, threads: int | None = None
) -> Tensor:
    """All images [N, 3, crop, crop] uint8, in their order.

    Args:
        files: to decode.
        resize: to what the shorter side is brought, in pixels, before the middle is cut out.
        crop: side of the middle, in pixels.
        progress: told after each batch.
        threads: that decode; by default as many as torch is set to.

    Raises:
        DataError: names the file that cannot be read.
        CancelledError: by `progress`.
    """
    images = torch.empty(len(files), 3, crop, crop, dtype=torch.uint8)
    done = 0
    progress("decoding images", done, len(files), "images")
    parts = decode_batches(files, resize=resize, crop=crop, size=BATCH, threads=threads)
    with closing(parts):
        for part in parts:
            images[done : done + len(part)] = part
            done += len(part)
            progress("decoding images", done, len(files), "images")
    return images


def decode_batches(
    files: ImageFiles, *, resize: int, crop: int, size: int, threads: int | None = None
) -> Generator[Tensor, None, None]:
    """The images batch by batch, [size, 3, crop, crop] uint8, the last one smaller; while one is
    used, the next is decoded. Close it where it may not be read to its end.

    Raises:
        DataError: names the file that cannot be read.
    """

    def load(path: Path) -> Tensor:
        return load_image(path, resize, crop)

    # Decoding leaves Python's lock, so that threads share the work.
    pool = ThreadPoolExecutor(threads or torch.get_num_threads(), thread_name_prefix="decode")
    ahead: list[list[Future[Tensor]]] = []
    try:
        for start in range(0, len(files), size):
            ahead.append([pool.submit(load, path) for path in files.paths[start : start + size]])
            if len(ahead) == AHEAD:
                yield _stacked(ahead.pop(0))
        while ahead:
            yield _stacked(ahead.pop(0))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _stacked(futures: list[Future[Tensor]]) -> Tensor:
    return torch.stack([future.result() for future in futures])
