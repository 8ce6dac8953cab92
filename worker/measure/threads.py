"""One setting for the threads of all libraries that measure."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def torch_threads() -> Iterator[None]:
    """Keep scikit-learn, SciPy and NumPy to as many threads as torch is set to.

    They have pools of their own, each as wide as the machine.
    """
    with threadpool_limits(limits=torch.get_num_threads()):
        yield
