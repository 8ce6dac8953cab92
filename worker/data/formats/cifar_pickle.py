"""Reader of the pickles of CIFAR that never runs any code in them.

The official files were pickled by Python 2 and hold dicts, lists, numbers, byte strings and one
array of bytes. To rebuild that array a pickle names three objects of numpy; these are replaced by
stand-ins that only store the arguments of their calls, and every other name is refused.
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
    MemoryError,  # an absurd length
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
)
"""What the unpickler raises for bytes that are no pickle or a pickle of something else."""


class ContentError(Exception):
    """A pickle does not hold what the official one holds; says what is wrong."""


def read_pickle(content: bytes) -> dict[str, Any]:
    """Read a pickled dict of arrays [...] uint8, numbers, texts, and lists and dicts of these.

    Raises:
        ContentError: the content is not such a dict.
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


class _ArrayStandIn:
    """Stand-in for an array until its bytes are known."""

    def __init__(self, *_: object) -> None:
        self._state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self._state = state

    def array(self) -> np.ndarray:
        """Return the array, if it is one of bytes."""
        _, shape, dtype, fortran, content = self._state
        if not isinstance(dtype, _DtypeStandIn) or dtype.name not in (b"u1", "u1"):
            raise TypeError("an array of something else than bytes")
        order: Any = "F" if fortran else "C"
        return np.frombuffer(content, np.uint8).reshape(shape, order=order)


class _DtypeStandIn:
    """Stand-in for the type of an array's values."""

    def __init__(self, name: object, *_: object) -> None:
        self.name = name

    def __setstate__(self, state: object) -> None:
        """Ignore byte order and the like, which bytes do not have."""


def _plain(value: Any) -> Any:
    """Replace a stand-in by its array."""
    if isinstance(value, _DtypeStandIn):
        raise TypeError("the type of an array without the array")
    return value.array() if isinstance(value, _ArrayStandIn) else value


_KNOWN: Final[dict[tuple[str, str], Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _ArrayStandIn,
    ("numpy._core.multiarray", "_reconstruct"): _ArrayStandIn,  # as written by numpy 2
    ("numpy", "ndarray"): "ndarray",  # only passed to _reconstruct
    ("numpy", "dtype"): _DtypeStandIn,
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _KNOWN:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}, which the official one does not"
            )
        return _KNOWN[module, name]
