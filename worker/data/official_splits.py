"""Splits of data sets that are published in an official training part and a test part."""

from dataclasses import dataclass

import numpy as np
import torch

from contract.comparison.data.draws import apportion
from worker.data.dataset import Pool
from worker.data.splits import Indices


@dataclass(frozen=True)
class OfficialPart:
    """One official part, in its published order."""

    images: np.ndarray
    """[N, C, H, W] uint8."""
    labels: np.ndarray
    """[N] integers from 0."""
    fine: np.ndarray | None = None
    """[N] integers, labels that divide the classes further."""

    def take(self, index: np.ndarray) -> "OfficialPart":
        """Return the items at these indices."""
        return OfficialPart(
            self.images[index],
            self.labels[index],
            None if self.fine is None else self.fine[index],
        )


def draw_pool(
    training: OfficialPart,
    test: OfficialPart,
    *,
    shares: np.ndarray,
    train_items: int,
    validation_part: int,
    seed: int,
    whole: bool = False,
) -> Pool:
    """Draw training and validation items from the official training part, and join the test part.

    The validation split is drawn first, with the share of each class kept, so it does not depend on
    the number of training items. Training items are drawn from the rest in the same way. The test
    split is the official one, in its order. Items that are not drawn are left out, unless the pool
    is to be whole: it then holds the official items in their order whatever the seed, so that the
    features of a frozen backbone, which are kept by content, serve every split.

    Args:
        training: official training part.
        test: official test part.
        shares: [N] classes of the training part whose shares are kept.
        train_items: number of training items; all that are left, if these are fewer.
        validation_part: 1 / validation_part of the official training items validate.
        seed: alone decides what is drawn; the splits hold the same items whether the pool is whole
            or not.
        whole: keep all official items in the pool.
    """
    rng = np.random.default_rng([seed, 1])
    members = [rng.permutation(np.flatnonzero(shares == one)) for one in np.unique(shares)]
    validation = _draw(members, len(shares) // validation_part)
    rest = [own[len(drawn) :] for own, drawn in zip(members, validation, strict=True)]
    train = _draw(rest, min(train_items, sum(map(len, rest))))
    drawn = [np.sort(np.concatenate(own)) for own in (train, validation)]
    if whole:
        tested = np.arange(len(test.labels)) + len(shares)
        return _joined_pool([training, test], Indices(drawn[0], drawn[1], tested))
    parts = [*(training.take(part) for part in drawn), test]
    ends = np.cumsum([len(part.labels) for part in parts])
    places = np.split(np.arange(ends[-1]), ends[:-1])
    return _joined_pool(parts, Indices(places[0], places[1], places[2]))


def _draw(members: list[np.ndarray], total: int) -> list[np.ndarray]:
    """Take the first members of each class in proportion to its size, `total` in all."""
    counts = apportion([len(own) for own in members], total)
    return [own[:share] for own, share in zip(members, counts, strict=True)]


def _joined_pool(parts: list[OfficialPart], indices: Indices) -> Pool:
    fine = [part.fine for part in parts if part.fine is not None]
    return Pool(
        items=torch.from_numpy(np.concatenate([part.images for part in parts])),
        labels=_labels([part.labels for part in parts]),
        indices=indices,
        fine=_labels(fine) if fine else None,
    )


def _labels(parts: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(parts).astype(np.int64))
