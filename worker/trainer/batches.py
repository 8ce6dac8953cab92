"""Which items make up which batch: decided by sampler, batch size, seed and epoch alone, so that
all arms of a seed see the same batches in the same order.

Augmentation of image batches, drawn alike for every arm of a seed.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from contract.comparison.data import Modalities
from contract.comparison.training import Augmentation, MPerClassSampler, ShuffleSampler
from worker.data import Split
from worker.errors import InputError
from worker.torch_utils import to_device

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


SHIFT_FRACTION: Final = 8
"""Images move by up to this part of their side; what comes in is the edge's pixels."""


def augment_batch(
    batch: Split, held: Modalities, kind: Augmentation, generator: torch.Generator
) -> Split:
    """A batch with its images augmented, of whichever modality they are; other items stay."""
    if kind == "none":
        return batch
    items, visual = batch.items, batch.visual
    if held.items == "images":
        items = augment_images(items, kind, generator)
    if held.visual == "images" and visual is not None:
        visual = augment_images(visual, kind, generator)
    return replace(batch, items=items, visual=visual)


def augment_images(images: Tensor, kind: Augmentation, generator: torch.Generator) -> Tensor:
    """Flip half of the images from left to right, and for "flip_shift" also move each.

    Args:
        images: [B, C, H, W], uint8 or float.
        kind: "flip" or "flip_shift".
        generator: on the CPU; decides which and how far.

    Returns:
        As many images of the same shape, type and device.
    """
    count, device = len(images), images.device
    flipped = to_device(torch.rand(count, generator=generator) < 0.5, device)
    images = torch.where(flipped[:, None, None, None], images.flip(-1), images)
    if kind == "flip":
        return images
    height, width = images.shape[-2:]
    most = (height // SHIFT_FRACTION, width // SHIFT_FRACTION)
    padded = _padded(images, *most)
    down, right = (
        to_device(torch.randint(0, 2 * by + 1, (count,), generator=generator), device)
        for by in most
    )
    rows = down[:, None] + torch.arange(height, device=device)
    columns = right[:, None] + torch.arange(width, device=device)
    item = torch.arange(count, device=device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=device)[None, :, None, None]
    return padded[item, channel, rows[:, None, :, None], columns[:, None, None, :]]


def _padded(images: Tensor, by_rows: int, by_columns: int) -> Tensor:
    """With the edges' pixels repeated around; torch does that to floats only."""
    padding = (by_columns, by_columns, by_rows, by_rows)
    padded = functional.pad(images.to(torch.float32), padding, mode="replicate")
    return padded.to(images.dtype)
