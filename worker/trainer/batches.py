"""Batches: which items they have, and the augmentation of their images.

The items of a batch depend only on sampler, batch size, seed and epoch, and the augmentation only
on the seed's random stream. So all arms of a seed see the same batches in the same order.
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
"""Makes these random numbers differ from other uses of the same seed, such as the split."""
SHIFT_FRACTION: Final = 8
"""Images are shifted by up to their side divided by this; the edge's pixels fill the gap."""


def steps_per_epoch(items: int, batch_size: int) -> int:
    """Return the number of batches in an epoch; items left over at its end are not used."""
    return items // batch_size


def epoch_batches(
    labels: Tensor,
    *,
    sampler_spec: ShuffleSampler | MPerClassSampler,
    batch_size: int,
    seed: int,
    epoch: int,
) -> Iterator[Tensor]:
    """Return the batches of one epoch, as indices [batch_size] into the training items.

    Args:
        labels: [N] of the training items; the indices are on the same device.
        sampler_spec: how batches are drawn.
        batch_size: at most N.
        seed: of the run.
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
    """Draw batches of batch_size / m random classes with m random items of each; a class with fewer
    than m items gives some of them more than once."""
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
            items = members[label]
            rounds = -(-m // len(items))
            drawn.append(np.concatenate([rng.permutation(items) for _ in range(rounds)])[:m])
    return np.concatenate(drawn)


def augment_batch(
    batch: Split, kinds: Modalities, kind: Augmentation, generator: torch.Generator
) -> Split:
    """Augment the images of a batch, in either modality; other items stay as they are.

    Args:
        batch: of the training split.
        kinds: what kind of items each modality has.
        kind: of augmentation.
        generator: on the CPU.
    """
    if kind == "none":
        return batch
    items, visual = batch.items, batch.visual
    if kinds.items == "images":
        items = augment_images(items, kind, generator)
    if kinds.visual == "images" and visual is not None:
        visual = augment_images(visual, kind, generator)
    return replace(batch, items=items, visual=visual)


def augment_images(images: Tensor, kind: Augmentation, generator: torch.Generator) -> Tensor:
    """Flip about half of the images from left to right, and for "flip_shift" also shift each one.

    Args:
        images: [B, C, H, W], uint8 or float.
        kind: "flip" or "flip_shift".
        generator: on the CPU; decides which are flipped and how far each is shifted.

    Returns:
        Images of the same shape, type and device.
    """
    count, device = len(images), images.device
    flipped = to_device(torch.rand(count, generator=generator) < 0.5, device)
    images = torch.where(flipped[:, None, None, None], images.flip(-1), images)
    if kind == "flip":
        return images
    height, width = images.shape[-2:]
    max_shift = (height // SHIFT_FRACTION, width // SHIFT_FRACTION)
    padded = _pad(images, *max_shift)
    down, right = (
        to_device(torch.randint(0, 2 * by + 1, (count,), generator=generator), device)
        for by in max_shift
    )
    rows = down[:, None] + torch.arange(height, device=device)
    columns = right[:, None] + torch.arange(width, device=device)
    item = torch.arange(count, device=device)[:, None, None, None]
    channel = torch.arange(images.shape[1], device=device)[None, :, None, None]
    return padded[item, channel, rows[:, None, :, None], columns[:, None, None, :]]


def _pad(images: Tensor, by_rows: int, by_columns: int) -> Tensor:
    """Pad images by repeating the pixels at their edges; torch can do that to floats only."""
    padding = (by_columns, by_columns, by_rows, by_rows)
    padded = functional.pad(images.to(torch.float32), padding, mode="replicate")
    return padded.to(images.dtype)
