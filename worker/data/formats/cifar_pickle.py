"""Reads the pickles of CIFAR without running anything that is in them.

The official files were pickled by Python 2 and hold dicts, lists, numbers, byte strings and one
array of bytes. To rebuild that array a pickle names three things of numpy; they are given stand-ins
that only note what they are called with, and every other name is refused.
"""

import io
import pickle
from typing import Any, Final

import numpy as np

BROKEN: Final = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,  # a length that is nonsense
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
"""What the unpickler raises at bytes that are no pickle, or one of something else."""


class ContentError(Exception):
    """A pickle holds something else than it should; says what."""


def read(content: bytes) -> dict[str, Any]:
    """What a pickled dict holds: arrays [...] uint8, and numbers, texts, lists and dicts of them.

    Raises:
        ContentError: the content is something else.
    """
    try:
        held = _Unpickler(io.BytesIO(content), encoding="bytes").load()
        if not isinstance(held, dict):
            raise TypeError(f"a {type(held).__name__}")
        return {
            key.decode() if isinstance(key, bytes) else str(key): _plain(value)
            for key, value in held.items()
        }
    except BROKEN as error:
        why = str(error) or type(error).__name__
        raise ContentError(f"no pickle like the official one: {why}") from error


class _Array:
    """Stands in for an array until its bytes are there."""

    def __init__(self, *_: object) -> None:
        self._state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._state = state

    def array(self) -> np.ndarray:
        """The array, if it is one of bytes."""
        _, shape, dtype, fortran, content = self._state
        if not isinstance(dtype, _Dtype) or dtype.name not in (b"u1", "u1"):
            raise TypeError("an array of something else than bytes")
        order: Any = "F" if fortran else "C"
        return np.frombuffer(content, np.uint8).reshape(shape, order=order)


class _Dtype:
    """Stands in for the type of an array's values."""

    def __init__(self, name: object, *_: object) -> None:
        self.name = name

    def __setstate__(self, state: object) -> None:
        """Byte order and the like, of which bytes have none."""


def _plain(value: Any) -> Any:
    """What a stand-in stands for."""
    if isinstance(value, _Dtype):
        raise TypeError("the type of an array without the array")
    return value.array() if isinstance(value, _Array) else value


_KNOWN: Final[dict[tuple[str, str], Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,  # as numpy 2 writes it
    ("numpy", "ndarray"): "ndarray",  # only handed to _reconstruct
    ("numpy", "dtype"): _Dtype,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which the official one does not"
            )
        return _KNOWN[module, name]
