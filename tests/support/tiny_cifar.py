"""A few random images in CIFAR's own files: pickles as Python 2 wrote them, in a .tar.gz.

The official batches are of protocol 2, with byte strings where Python 3 has bytes or text, and name
`numpy.core.multiarray._reconstruct`, `numpy.ndarray` and `numpy.dtype`.
"""

import hashlib
import io
import struct
import tarfile
from functools import cache
from typing import Any, Final

import numpy as np

PER_CLASS: Final = 15
"""Official training images of each class of CIFAR-10, and of each fine class of CIFAR-100."""
TEST_PER_CLASS: Final = 2
COARSE: Final = np.random.default_rng(5).permutation(np.repeat(np.arange(20), 5))
"""Coarse class of each fine one."""

FOLDERS: Final = {"cifar10": "cifar-10-batches-py", "cifar100": "cifar-100-python"}


def pickle_like_python_2(held: dict[str, Any]) -> bytes:
    """Return a dict as Python 2 pickled it."""
    return b"\x80\x02" + _opcodes(held) + b"."


def _opcodes(value: Any) -> bytes:
    match value:
        case dict():
            pairs = b"".join(_opcodes(one) for pair in value.items() for one in pair)
            return b"}(" + pairs + b"u"
        case list():
            return b"](" + b"".join(map(_opcodes, value)) + b"e"
        case str():
            return b"T" + struct.pack("<i", len(value)) + value.encode()
        case bytes():
            return b"T" + struct.pack("<i", len(value)) + value
        case int():
            return b"J" + struct.pack("<i", value)
        case np.ndarray():
            empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
            shape = b"(" + b"".join(_opcodes(side) for side in value.shape) + b"t"
            dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN" + 2 * _opcodes(-1)
            state = b"(K\x01" + shape + dtype + b"K\x00tb\x89" + _opcodes(value.tobytes()) + b"t"
            return empty + state + b"b"
    raise TypeError(type(value))


@cache
def batches(kind: str) -> dict[str, dict[str, Any]]:
    """Return file name -> its unpickled content."""
    rng = np.random.default_rng(1)
    if kind == "cifar10":
        labels = rng.permutation(np.repeat(np.arange(10), PER_CLASS))
        names = [f"data_batch_{i}" for i in range(1, 6)]
        made = {
            name: _batch(rng, {"labels": own})
            for name, own in zip(names, np.split(labels, 5), strict=True)
        }
        test = rng.permutation(np.repeat(np.arange(10), TEST_PER_CLASS))
        return {**made, "test_batch": _batch(rng, {"labels": test})}
    made = {}
    for name, each in (("train", PER_CLASS), ("test", TEST_PER_CLASS)):
        fine = rng.permutation(np.repeat(np.arange(100), each))
        made[name] = _batch(rng, {"fine_labels": fine, "coarse_labels": COARSE[fine]})
    return made


def _batch(rng: np.random.Generator, labels: dict[str, np.ndarray]) -> dict[str, Any]:
    count = len(next(iter(labels.values())))
    return {
        "batch_label": "batch",
        "data": rng.integers(0, 256, (count, 3072), dtype=np.uint8),
        "filenames": [f"image_{i}.png" for i in range(count)],
        **{key: own.tolist() for key, own in labels.items()},
    }


@cache
def files(kind: str) -> dict[str, bytes]:
    """Return file name -> its bytes."""
    return {name: pickle_like_python_2(held) for name, held in batches(kind).items()}


def archive(members: dict[str, bytes]) -> bytes:
    """Return a .tar.gz of files with these names."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


@cache
def published(kind: str) -> bytes:
    """Return the archive of a kind, with an additional file that is not read."""
    folder = FOLDERS[kind]
    members = {f"{folder}/{name}": content for name, content in files(kind).items()}
    return archive({**members, f"{folder}/readme.html": b"<html>"})


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()
