"""The losses once more, straight from their formulas: slow loops over the tuples of a batch."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

import torch
from torch import Tensor


@dataclass
class Tuples:
    """One part of a loss."""

    total: Tensor
    active: int = 0
    valid: int = 0


@dataclass
class Tally:
    """All parts, and the anchors seen in a valid and in an active tuple."""

    parts: dict[str, Tuples]
    anchors: set[int] = field(default_factory=set)
    active_anchors: set[int] = field(default_factory=set)

    def add(self, name: str, value: Tensor, *anchors: int) -> None:
        part = self.parts[name]
        part.total = part.total + value
        part.valid += 1
        self.anchors.update(anchors)
        if value > 0:
            part.active += 1
            self.active_anchors.update(anchors)

    def value(self, reduction: str) -> Tensor:
        total = torch.stack([part.total for part in self.parts.values()]).sum()
        active = sum(part.active for part in self.parts.values())
        valid = sum(part.valid for part in self.parts.values())
        count = {"sum": 1, "mean": valid, "mean_active": active}[reduction]
        return total / max(count, 1)


def contrastive(embeddings: Tensor, labels: Tensor, margin: float) -> Tally:
    """Squared distance of positive pairs, squared gap to the margin of negative ones."""
    tally = _empty(embeddings, "positive", "negative")
    for i, j in combinations(range(len(labels)), 2):
        squared = (embeddings[i] - embeddings[j]).square().sum()
        if labels[i] == labels[j]:
            tally.add("positive", squared, i, j)
        else:
            # The root has no derivative at 0; two equal items push nowhere.
            distance = squared.sqrt() if squared > 0 else squared.detach()
            tally.add("negative", torch.relu(margin - distance) ** 2, i, j)
    return tally


def triplet(embeddings: Tensor, labels: Tensor, margin: float) -> Tally:
    """The hinge of every anchor, positive and negative."""
    tally = _empty(embeddings, "triplet")
    for a, p, n in triplets(labels):
        near = (embeddings[a] - embeddings[p]).square().sum()
        far = (embeddings[a] - embeddings[n]).square().sum()
        tally.add("triplet", torch.relu(near - far + margin), a)
    return tally


def triplets(labels: Tensor) -> Iterator[tuple[int, int, int]]:
    """Every (anchor, positive, negative)."""
    known = labels.tolist()
    for a, label in enumerate(known):
        for p, other in enumerate(known):
            if p != a and other == label:
                yield from ((a, p, n) for n, third in enumerate(known) if third != label)


def _empty(embeddings: Tensor, *names: str) -> Tally:
    zero = embeddings.sum() * 0  # differentiable
    return Tally({name: Tuples(zero) for name in names})


LOOPS = {"contrastive": contrastive, "triplet": triplet}
