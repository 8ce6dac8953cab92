"""Augmentation of image batches, drawn alike for every arm of a seed."""

from dataclasses import replace
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from contract.comparison.data import Modalities
from contract.comparison.training import Augmentation
from worker.data import Split
from worker.torch_utils.transfer import sent

SHIFT_PART: Final = 8
"""Images move by up to this part of their side; what comes in is the edge's pixels."""


def augmented(
    batch: Split, held: Modalities, kind: Augmentation, generator: torch.Generator
) -> Split:
    """A batch with its images augmented, of whichever modality they are; other items stay."""
    if kind == "none":
        return batch
    items, visual = batch.items, batch.visual
    if held.items == "images":
        items = augment(items, kind, generator)
    if held.visual == "images" and visual is not None:
        visual = augment(visual, kind, generator)
    return replace(batch, items=items, visual=visual)


def augment(images: Tensor, kind: Augmentation, generator: torch.Generator) -> Tensor:
    """Flip half of the images from left to right, and for "flip_shift" also move each.

    Args:
        images: [B, C, H, W], uint8 or float.
        kind: "flip" or "flip_shift".
        generator: on the CPU; decides which and how far.

    Returns:
        As many images of the same shape, type and device.
    """
    count, device = len(images), images.device
    flipped = sent(torch.rand(count, generator=generator) < 0.5, device)
    images = torch.where(flipped[:, None, None, None], images.flip(-1), images)
    if kind == "flip":
        return images
    height, width = images.shape[-2:]
    most = (height // SHIFT_PART, width // SHIFT_PART)
    padded = _padded(images, *most)
    down, right = (
        sent(torch.randint(0, 2 * by + 1, (count,), generator=generator), device) for by in most
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
