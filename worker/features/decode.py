"""Files of images to one tensor of pixels, by several threads."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from worker.data import ImageFiles
from worker.encoders.pixels import load_image
from worker.progress import Progress

THREADS: Final = min(8, os.cpu_count() or 1)
"""Decoding leaves Python's lock, so that threads share the work."""


def decode(files: ImageFiles, *, resize: int, crop: int, progress: Progress) -> Tensor:
    """All images [N, 3, crop, crop] uint8, in their order.

    Args:
        files: to decode.
        resize: the shorter side, before the middle is cut out.
        crop: side of the middle.
        progress: told after each batch.

    Raises:
        DataError: names the file that cannot be read.
        CancelledError: by `progress`.
    """
    images = torch.empty(len(files), 3, crop, crop, dtype=torch.uint8)
    done = 0
    for batch in batches(files, resize=resize, crop=crop, size=256):
        images[done : done + len(batch)] = batch
        done += len(batch)
        progress("decoding images", done, len(files), "images")
    return images


def batches(files: ImageFiles, *, resize: int, crop: int, size: int) -> Iterator[Tensor]:
    """The images batch by batch, [size, 3, crop, crop] uint8; while one is used, the next is
    decoded."""

    def load(path: Path) -> Tensor:
        return load_image(path, resize, crop)

    parts = [files.paths[start : start + size] for start in range(0, len(files), size)]
    with ThreadPoolExecutor(THREADS, thread_name_prefix="decode") as pool:
        ahead: list[list[Future[Tensor]]] = []
        try:
            for at in range(len(parts)):
                while len(ahead) < 2 and at + len(ahead) < len(parts):
                    ahead.append([pool.submit(load, path) for path in parts[at + len(ahead)]])
                yield torch.stack([future.result() for future in ahead.pop(0)])
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
