"""Image files decoded to tensors of pixels, by several threads."""

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
"""Images decoded between two reports of progress."""
AHEAD: Final = 2
"""Batches that are decoded or wait at once; memory holds no more images than these."""


def decode_images(
    files: ImageFiles, *, resize: int, crop: int, progress: Progress, threads: int | None = None
) -> Tensor:
    """Decode all images to [N, 3, crop, crop] uint8, in their order.

    Args:
        files: to decode.
        resize: length in pixels that the shorter side is scaled to, before the centre is cut out.
        crop: side of that centre, in pixels.
        progress: gets a report after each batch.
        threads: number of threads; by default as many as torch uses.

    Raises:
        DataError: a file cannot be read; names it.
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
    """Yield the images in batches [size, 3, crop, crop] uint8, of which the last may be smaller.

    The next batch is decoded while one is used. Close the generator if it may not be exhausted.

    Raises:
        DataError: a file cannot be read; names it.
    """

    def load(path: Path) -> Tensor:
        return load_image(path, resize, crop, files.background)

    # Decoding releases Python's global lock, so threads do share the work.
    pool = ThreadPoolExecutor(threads or torch.get_num_threads(), thread_name_prefix="decode")
    ahead: list[list[Future[Tensor]]] = []
    try:
        for start in range(0, len(files), size):
            ahead.append([pool.submit(load, path) for path in files.paths[start : start + size]])
            if len(ahead) == AHEAD:
                yield _stack(ahead.pop(0))
        while ahead:
            yield _stack(ahead.pop(0))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _stack(futures: list[Future[Tensor]]) -> Tensor:
    return torch.stack([future.result() for future in futures])
