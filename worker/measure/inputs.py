"""Checks of the inputs of measures, and the limit on the threads of the libraries that they use."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch
from threadpoolctl import ThreadpoolController
from torch import Tensor

from worker.errors import InputError
from worker.torch_utils import as_labels, as_tensor


def check_embeddings(
    embeddings: Tensor, labels: Tensor, name: str = "embeddings", labels_name: str = "labels"
) -> tuple[Tensor, Tensor]:
    """Check embeddings [N, D] and labels [N]: shapes, types, finite values, at least one item.

    Returns:
        Both, arrays and lists as tensors, labels as int64.

    Raises:
        InputError: names the argument and says what was given.
    """
    embeddings, labels = as_tensor(embeddings, name), as_labels(labels, labels_name)
    if embeddings.ndim != 2 or not embeddings.numel():
        raise InputError(
            f"{name}: expected [N, D] with N >= 1 and D >= 1, got {list(embeddings.shape)}"
        )
    if embeddings.dtype not in {torch.float32, torch.float64}:
        raise InputError(f"{name}: expected float32 or float64, got {embeddings.dtype}")
    if labels.shape != embeddings.shape[:1]:
        raise InputError(
            f"{labels_name}: expected shape [{len(embeddings)}], as many as {name}, "
            f"got {list(labels.shape)}"
        )
    if labels.is_floating_point() or labels.is_complex() or labels.dtype == torch.bool:
        raise InputError(f"{labels_name}: expected integers, got {labels.dtype}")
    if not torch.stack(embeddings.aminmax()).isfinite().all():  # cheaper than a mask of all values
        broken = int((~embeddings.isfinite().all(dim=1)).sum())
        raise InputError(f"{name}: {broken} of {len(embeddings)} rows are not finite")
    return embeddings, labels


def check_width(embeddings: Tensor, others: Tensor, name: str) -> None:
    """Check that embeddings [N, D] can be compared with others [M, D].

    Raises:
        InputError: names the argument and says what was given.
    """
    width = others.shape[1]
    if embeddings.shape[1] != width:
        raise InputError(f"{name}: expected [N, D] with D = {width}, got {list(embeddings.shape)}")


def check_pairs(embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Check embeddings and labels as `check_embeddings` does, and that a class has two members.

    Returns:
        Both as `check_embeddings` returns them.

    Raises:
        InputError: names the argument and says what was given.
    """
    embeddings, labels = check_embeddings(embeddings, labels)
    largest = int(labels.unique(return_counts=True)[1].max())
    if largest < 2:
        raise InputError(
            f"labels: expected a class with two members, got {len(labels)} classes of one"
        )
    return embeddings, labels


def check_classes(labels: Tensor) -> None:
    """Check that labels [N] hold at least two classes.

    Raises:
        InputError: names the argument and says what was given.
    """
    if (labels == labels[0]).all():
        raise InputError(f"labels: expected two classes or more, got only {int(labels[0])}")


@contextmanager
def limit_to_torch_threads() -> Iterator[None]:
    """Limit scikit-learn, SciPy and NumPy to the number of threads that torch is set to.

    By default each of them has its own pool with as many threads as the machine has cores.
    """
    with _thread_pools().limit(limits=torch.get_num_threads()):
        yield


def set_blas_threads(number: int) -> None:
    """Set the number of threads of the linear algebra that NumPy and SciPy call, in each of their
    copies that is loaded."""
    for library in _thread_pools().select(user_api="blas").lib_controllers:
        library.set_num_threads(number)


@cache
def _thread_pools() -> ThreadpoolController:
    """Return the thread pools of all libraries loaded at the first use; a process that measures has
    loaded them by then.

    Kept, because a search for them reads the files of the libraries: 8 ms, twice an evaluation.
    """
    return ThreadpoolController()
