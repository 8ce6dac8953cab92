"""Splits of data sets that come in an official training and an official test part."""

from dataclasses import dataclass

import numpy as np
import torch

from worker.data.dataset import Pool
from worker.data.splits import Indices


@dataclass(frozen=True)
class Part:
    """One official part, in its order."""

    images: np.ndarray
    """[N, C, H, W] uint8."""
    labels: np.ndarray
    """[N] integers from 0."""
    fine: np.ndarray | None = None
    """[N] integers: labels within the classes."""

    def take(self, index: np.ndarray) -> "Part":
        """The items at these places."""
        return Part(
            self.images[index],
            self.labels[index],
            None if self.fine is None else self.fine[index],
        )


def pool(
    training: Part,
    test: Part,
    *,
    shares: np.ndarray,
    train_items: int,
    validation_part: int,
    seed: int,
) -> Pool:
    """The items that are used, and no others.

    Validation is drawn from the official training part, each class with its share, and is the same
    whatever the number of training items; these are drawn from the rest in the same way. The test
    split is the official one, in its order.

    Args:
        training: official training part.
        test: official test part.
        shares: [N] the classes of the training part that keep their shares.
        train_items: how many train; all that are left, if these are fewer.
        validation_part: one in so many official training items validates.
        seed: decides what is drawn, and nothing else does.
    """
    rng = np.random.default_rng([seed, 1])
    members = [rng.permutation(np.flatnonzero(shares == one)) for one in np.unique(shares)]
    validation = _draw(members, len(shares) // validation_part)
    rest = [own[len(drawn) :] for own, drawn in zip(members, validation, strict=True)]
    train = _draw(rest, min(train_items, sum(map(len, rest))))
    parts = [training.take(np.sort(np.concatenate(drawn))) for drawn in (train, validation)]
    return _joined_pool([*parts, test])


def _draw(members: list[np.ndarray], total: int) -> list[np.ndarray]:
    """The first of each class's members, `total` in all, each class in proportion.

    Whole shares first, then one more each for the largest remainders (Hamilton's method).
    """
    counts = np.array([len(own) for own in members])
    whole, remainders = np.divmod(total * counts, counts.sum())
    largest = np.argsort(-remainders, kind="stable")[: total - whole.sum()]
    whole[largest] += 1
    return [own[:share] for own, share in zip(members, whole, strict=True)]


def _joined_pool(parts: list[Part]) -> Pool:
    """Training, validation and test items behind one another."""
    ends = np.cumsum([len(part.labels) for part in parts])
    train, validation, test = np.split(np.arange(ends[-1]), ends[:-1])
    fine = [part.fine for part in parts if part.fine is not None]
    return Pool(
        items=torch.from_numpy(np.concatenate([part.images for part in parts])),
        labels=_labels([part.labels for part in parts]),
        indices=Indices(train, validation, test),
        fine=_labels(fine) if fine else None,
    )


def _labels(parts: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.concatenate(parts).astype(np.int64))
