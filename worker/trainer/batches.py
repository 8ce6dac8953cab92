"""Which items make up which batch: decided by sampler, batch size, seed and epoch alone, so that
all arms of a seed see the same batches in the same order."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import torch
from torch import Tensor

from contract.comparison.training import MPerClassSampler, ShuffleSampler
from worker.errors import InputError

_STREAM: Final = 2
"""Tells this use of a seed from others of the same number, such as the split's."""


def steps_per_epoch(items: int, batch_size: int) -> int:
    """Batches of an epoch; what is left over at its end is dropped."""
    return items // batch_size


def epoch_batches(
    labels: Tensor,
    *,
    sampler_spec: ShuffleSampler | MPerClassSampler,
    batch_size: int,
    seed: int,
    epoch: int,
) -> Iterator[Tensor]:
    """The batches of one epoch, as indices [batch_size] into the training items.

    Args:
        labels: [N] of the training items; the indices are on their device.
        sampler_spec: how batches are drawn.
        batch_size: at most N.
        seed: the run's.
        epoch: 1, 2, ...

    Raises:
        InputError: a batch needs more items or classes than there are.
    """
    steps = steps_per_epoch(len(labels), batch_size)
    if not steps:
        raise InputError(f"batch_size: {batch_size} is more than the {len(labels)} items")
    # Not torch's generator: its CPU engine keeps only the lower 32 bits of a seed.
    rng = np.random.default_rng([seed, epoch, _STREAM])
    if isinstance(sampler_spec, MPerClassSampler):
        index = _m_per_class(labels.cpu().numpy(), sampler_spec.m, batch_size, steps, rng)
    else:
        index = rng.permutation(len(labels))[: steps * batch_size]
    return iter(torch.from_numpy(index).to(labels.device).view(steps, batch_size))


def _m_per_class(
    labels: np.ndarray, m: int, batch_size: int, steps: int, rng: np.random.Generator
) -> np.ndarray:
    """Each batch: batch_size / m random classes, m random items of each; a class with fewer than m
    items gives some of them twice."""
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    classes = batch_size // m
    if batch_size % m:
        raise InputError(f"batch_size: {batch_size} is not divisible by m = {m}")
    if classes > len(members):
        raise InputError(
            f"batch_size: {batch_size} / {m} = {classes} classes a batch, "
            f"but labels holds {len(members)}"
        )
    drawn: list[np.ndarray] = []
    for _ in range(steps):
        for label in rng.permutation(len(members))[:classes]:
            own = members[label]
            rounds = -(-m // len(own))
            drawn.append(np.concatenate([rng.permutation(own) for _ in range(rounds)])[:m])
    return np.concatenate(drawn)
