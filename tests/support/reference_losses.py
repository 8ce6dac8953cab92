"""The contrastive and the triplet loss straight from their formulas, as slow loops over tuples."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class PartTally:
    """Sum and counts of one part of a loss."""

    total: Tensor
    active: int = 0
    valid: int = 0


@dataclass
class Tally:
    """All parts of a loss, and the anchors in valid and in active tuples."""

    parts: dict[str, PartTally]
    anchors: set[int] = field(default_factory=set)
    active_anchors: set[int] = field(default_factory=set)

    def add(self, name: str, value: Tensor, *anchors: int) -> None:
        """Count a tuple of a part."""
        part = self.parts[name]
        part.total = part.total + value
        part.valid += 1
        self.anchors.update(anchors)
        if value > 0:
            part.active += 1
            self.active_anchors.update(anchors)

    def value(self, reduction: str, pull_weight: float = 0.5) -> Tensor:
        """Return the loss in a reduction."""
        if reduction == "balanced":
            means = {name: part.total / max(part.valid, 1) for name, part in self.parts.items()}
            return pull_weight * means["positive"] + (1 - pull_weight) * means["negative"]
        total = torch.stack([part.total for part in self.parts.values()]).sum()
        active = sum(part.active for part in self.parts.values())
        valid = sum(part.valid for part in self.parts.values())
        count = {"sum": 1, "mean": valid, "mean_active": active}[reduction]
        return total / max(count, 1)


@dataclass
class LossBatch:
    """A batch, alone or with the items of another modality, and the kind of distance."""

    embeddings: Tensor
    labels: Tensor
    others: Tensor | None = None
    other_labels: Tensor | None = None
    distance: str = "euclidean"

    @property
    def alone(self) -> bool:
        """Whether there is only one modality."""
        return self.others is None

    def ends(self, i: int, j: int) -> tuple[Tensor, Tensor]:
        """Return the two points of a pair."""
        return self.embeddings[i], (self.embeddings if self.others is None else self.others)[j]

    def squared(self, i: int, j: int) -> Tensor:
        """Return the distance that the triplet loss compares: the squared Euclidean, or cosine."""
        a, b = self.ends(i, j)
        if self.distance == "cosine":
            # Equal vectors have distance 0, and their derivative is that at a minimum.
            same = torch.equal(a, b)
            return (a - b).square().sum() if same else 1 - torch.cosine_similarity(a, b, dim=0)
        return (a - b).square().sum()

    def root(self, i: int, j: int) -> Tensor:
        """Return the distance that the contrastive loss compares: Euclidean, or cosine."""
        compared = self.squared(i, j)
        if self.distance == "cosine":
            return compared
        # The root has no derivative at 0; equal items have no gradient.
        return compared.sqrt() if compared > 0 else compared.detach()

    def labels_at(self) -> tuple[list[int], list[int]]:
        """Return the labels of the first and of the second points of pairs."""
        others = self.labels if self.other_labels is None else self.other_labels
        return self.labels.tolist(), others.tolist()

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Yield every pair, once."""
        labels, others = self.labels_at()
        for i in range(len(labels)):
            yield from ((i, j) for j in range(i + 1 if self.alone else 0, len(others)))

    def triplets(self) -> Iterator[tuple[int, int, int]]:
        """Yield every (anchor, positive, negative)."""
        labels, others = self.labels_at()
        for a, label in enumerate(labels):
            for p, other in enumerate(others):
                if other == label and not (self.alone and p == a):
                    yield from ((a, p, n) for n, third in enumerate(others) if third != label)


def contrastive(
    batch: LossBatch,
    margin: float,
    chosen: Iterable[tuple[int, int]] | None = None,
    *,
    positive_margin: float = 0.0,
    hinge: str = "squared",
) -> Tally:
    """Return the squares of how far positive pairs lie beyond their margin, and the gaps of
    negative ones to theirs, squared or not."""
    tally = _empty(batch, "positive", "negative")
    labels, others = batch.labels_at()
    for i, j in batch.pairs() if chosen is None else chosen:
        anchors = (i, j) if batch.alone else (i,)
        if labels[i] == others[j]:
            plain = batch.distance == "euclidean" and not positive_margin
            beyond = torch.relu(batch.root(i, j) - positive_margin)
            tally.add("positive", batch.squared(i, j) if plain else beyond**2, *anchors)
        else:
            gap = torch.relu(margin - batch.root(i, j))
            tally.add("negative", gap if hinge == "linear" else gap**2, *anchors)
    return tally


def triplet(
    batch: LossBatch, margin: float, chosen: Iterable[tuple[int, int, int]] | None = None
) -> Tally:
    """Return the hinges of all triplets."""
    tally = _empty(batch, "triplet")
    for a, p, n in batch.triplets() if chosen is None else chosen:
        hinge = torch.relu(batch.squared(a, p) - batch.squared(a, n) + margin)
        tally.add("triplet", hinge, a)
    return tally


def _empty(batch: LossBatch, *names: str) -> Tally:
    zero = batch.embeddings.sum() * 0  # differentiable
    if batch.others is not None:
        zero = zero + batch.others.sum() * 0
    return Tally({name: PartTally(zero) for name in names})


REFERENCE_LOSSES: dict[str, Callable[..., Tally]] = {"contrastive": contrastive, "triplet": triplet}
