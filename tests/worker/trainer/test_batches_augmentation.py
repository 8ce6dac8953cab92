"""Augmentation: flipped and shifted images, the same for the same random numbers."""

import pytest
import torch
from torch import Tensor

from contract.comparison.data import Modalities
from worker.data import Split
from worker.trainer.batches import augment_batch, augment_images

IMAGES = torch.arange(40 * 3 * 16 * 16).view(40, 3, 16, 16) % 251


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", ["flip", "flip_shift"])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_shape_and_type_stay_and_the_generator_decides(kind: str, dtype: torch.dtype) -> None:
    images = IMAGES.to(dtype)
    made = augment_images(images, kind, seeded())  # type: ignore[arg-type]
    assert made.shape == images.shape
    assert made.dtype == dtype
    assert torch.equal(made, augment_images(images, kind, seeded()))  # type: ignore[arg-type]
    assert not torch.equal(made, augment_images(images, kind, seeded(1)))  # type: ignore[arg-type]


def test_a_flip_mirrors_some_images_and_leaves_the_others() -> None:
    images = IMAGES.to(torch.uint8)
    made = augment_images(images, "flip", seeded())
    kept = [torch.equal(a, b) for a, b in zip(made, images, strict=True)]
    mirrored = [torch.equal(a, b.flip(-1)) for a, b in zip(made, images, strict=True)]
    assert all(a != b for a, b in zip(kept, mirrored, strict=True))
    assert 8 <= sum(mirrored) <= 32


def shifted(image: Tensor, down: int, right: int) -> Tensor:
    """Shift an image slowly: look up where each pixel comes from, at the edge if it is outside."""
    _, height, width = image.shape
    rows = [min(max(row + down, 0), height - 1) for row in range(height)]
    columns = [min(max(column + right, 0), width - 1) for column in range(width)]
    return image[:, rows][:, :, columns]


def test_a_shift_moves_by_up_to_an_eighth() -> None:
    images = IMAGES.to(torch.uint8)
    seen = set()
    for before, after in zip(images, augment_images(images, "flip_shift", seeded()), strict=True):
        found = [
            (down, right)
            for base in (before, before.flip(-1))
            for down in range(-2, 3)
            for right in range(-2, 3)
            if torch.equal(shifted(base, down, right), after)
        ]
        assert len(found) == 1
        seen.add(found[0])
    assert len(seen) > 10


def test_only_images_are_augmented() -> None:
    labels = torch.zeros(40, dtype=torch.int64)
    spectrograms = torch.rand(40, 1, 16, 16)
    batch = Split(spectrograms, labels, labels, IMAGES.to(torch.uint8))
    made = augment_batch(batch, Modalities("spectrograms", "images"), "flip_shift", seeded())
    assert made.items is spectrograms
    assert made.visual is not None
    assert not torch.equal(made.visual, IMAGES.to(torch.uint8))
    assert made.fine is labels
    assert augment_batch(batch, Modalities("spectrograms", "images"), "none", seeded()) is batch
