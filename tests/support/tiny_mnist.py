"""A few random images in MNIST's own files: the format of the real ones, a thousandth of the size.

The format is the idx of http://yann.lecun.com/exdb/mnist/: big-endian magic number (0x08 for bytes,
then the number of dimensions), sizes, values.
"""

import gzip
import hashlib
import struct
from functools import cache
from pathlib import Path

import numpy as np

TRAIN_COUNTS = (66, 55, 60, 61, 58, 54, 60, 62, 59, 65)
"""Training images of each digit, 600 in all."""
TEST_COUNTS = (10, 12, 9, 11, 10, 8, 10, 9, 10, 11)


def idx(values: np.ndarray) -> bytes:
    """Return an array as the bytes of an idx file."""
    head = struct.pack(f">{1 + values.ndim}I", 0x0800 + values.ndim, *values.shape)
    return head + values.astype(np.uint8).tobytes()


@cache
def arrays() -> dict[str, np.ndarray]:
    """Return file name -> array, with the digits in random order."""
    rng = np.random.default_rng(0)
    made = {}
    for part, counts in (("train", TRAIN_COUNTS), ("t10k", TEST_COUNTS)):
        labels = rng.permutation(np.repeat(np.arange(10), counts))
        images = rng.integers(0, 256, (len(labels), 28, 28), dtype=np.uint8)
        made[f"{part}-images-idx3-ubyte"] = images
        made[f"{part}-labels-idx1-ubyte"] = labels
    return made


@cache
def archives() -> dict[str, bytes]:
    """Return the name of each published .gz file -> its content."""
    return {f"{name}.gz": gzip.compress(idx(values)) for name, values in arrays().items()}


def checksums() -> list[tuple[str, str]]:
    """Return names and MD5 digests of the published files, in torchvision's order."""
    return [(name, hashlib.md5(content).hexdigest()) for name, content in archives().items()]


def raw(folder: Path) -> Path:
    """Return the folder of the files below the folder of all data sets; create it if needed."""
    place = folder / "MNIST" / "raw"
    place.mkdir(parents=True, exist_ok=True)
    return place


def write(folder: Path) -> None:
    """Write the four unpacked files."""
    for name, values in arrays().items():
        (raw(folder) / name).write_bytes(idx(values))


def write_archives(folder: Path) -> None:
    """Write the four .gz files."""
    for name, content in archives().items():
        (raw(folder) / name).write_bytes(content)
