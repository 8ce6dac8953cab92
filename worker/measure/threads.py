"""One setting for the threads of all libraries that measure."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController


@contextmanager
def torch_threads() -> Iterator[None]:
    """Keep scikit-learn, SciPy and NumPy to as many threads as torch is set to.

    They have pools of their own, each as wide as the machine.
    """
    with _pools().limit(limits=torch.get_num_threads()):
        yield


@cache
def _pools() -> ThreadpoolController:
    """The pools of all libraries that are loaded by the first use, which whoever measures is.

    Kept, for finding them reads the libraries' files: 8 ms, at every evaluation twice.
    """
    return ThreadpoolController()
