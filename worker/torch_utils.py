"""Small helpers around torch: random streams, tensors of what is given, copies to a device, the
number of threads, and the optimisers of a spec.

Every part of a run that draws random numbers has its own stream, derived from the run's seed. What
one part draws then never changes what another part draws.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Literal

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from contract.comparison.training import AdamOptimizer, AdamWOptimizer, Optimizer, SgdOptimizer
from worker.errors import InputError

Stream = Literal["encoder", "loss", "tuples", "first pass", "subsets", "snapshot", "augmentation"]
"""What a random stream is for. The names decide the numbers: a renamed stream draws others."""

Parameters = Iterable[nn.Parameter]
Groups = Parameters | Iterable[dict[str, Any]]
"""What torch's optimisers take: parameters, or groups of them with settings of their own."""


def stream_seed(seed: int, stream: Stream) -> int:
    """Return a stream's own 63-bit seed: the first bytes of SHA-256 over the seed and its name."""
    digest = hashlib.sha256(f"{seed}/{stream}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream_generator(seed: int, stream: Stream) -> torch.Generator:
    """Return a CPU generator at the start of a stream."""
    return torch.Generator().manual_seed(stream_seed(seed, stream))


def as_tensor(values: Tensor | ArrayLike, name: str) -> Tensor:
    """Return a tensor as it is, and a NumPy array or nested lists of numbers as a tensor.

    Raises:
        InputError: it is none of these; says `name` and what was given.
    """
    if isinstance(values, Tensor):
        return values
    try:
        return torch.as_tensor(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"{name}: expected a tensor, an array or lists of numbers, got "
            f"{type(values).__name__} ({error})"
        ) from error


def scalars(values: Sequence[float], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Return numbers as 0-d tensors on the CPU, which takes less time together than one by one."""
    return torch.tensor(values, dtype=dtype).unbind()


def as_labels(values: Tensor | ArrayLike, name: str) -> Tensor:
    """Return labels as int64, whatever type of integer they have; others as they are.

    Small and unsigned integers mean something else to torch, such as a mask.

    Raises:
        InputError: as `as_tensor`.
    """
    labels = as_tensor(values, name)
    if labels.dtype == torch.bool or labels.is_floating_point() or labels.is_complex():
        return labels
    return labels.to(torch.int64)


def to_device(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a CPU tensor to a device without waiting for the device.

    A GPU fetches the copy when its turn comes, from pinned memory, which does not move meanwhile.
    """
    if device.type != "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread: with more, sums are divided otherwise and round
    otherwise."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def build_optimizer(
    spec: Optimizer, parameters: Parameters, loss_parameters: Parameters = ()
) -> torch.optim.Optimizer:
    """Build the optimiser of a spec.

    Args:
        spec: its settings.
        parameters: of the encoder.
        loss_parameters: of the loss. They are a group of their own where the spec gives them a
            learning rate of their own, and else in one group with the others.
    """
    own, of_loss = list(parameters), list(loss_parameters)
    if spec.loss_lr is None or not of_loss:
        return OPTIMIZERS[type(spec)](spec, [*own, *of_loss])
    groups: list[dict[str, Any]] = [{"params": own}, {"params": of_loss, "lr": spec.loss_lr}]
    return OPTIMIZERS[type(spec)](spec, groups)


def _adam(spec: Optimizer, parameters: Groups) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, lr=spec.lr, weight_decay=spec.weight_decay)


def _adamw(spec: Optimizer, parameters: Groups) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=spec.lr, weight_decay=spec.weight_decay)


def _sgd(spec: Optimizer, parameters: Groups) -> torch.optim.Optimizer:
    assert isinstance(spec, SgdOptimizer)
    return torch.optim.SGD(
        parameters, lr=spec.lr, weight_decay=spec.weight_decay, momentum=spec.momentum
    )


OPTIMIZERS: Final[dict[type[Optimizer], Callable[[Optimizer, Groups], torch.optim.Optimizer]]] = {
    AdamOptimizer: _adam,
    AdamWOptimizer: _adamw,
    SgdOptimizer: _sgd,
}
"""Type of an optimiser's spec -> the function that builds it."""
