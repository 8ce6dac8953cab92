"""The losses of distances once more, straight from their formulas: slow loops over tuples."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

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


@dataclass
class Scene:
    """A batch, alone or with others of another modality, and how distances are taken."""

    embeddings: Tensor
    labels: Tensor
    others: Tensor | None = None
    other_labels: Tensor | None = None
    distance: str = "euclidean"

    @property
    def own(self) -> bool:
        return self.others is None

    def ends(self, i: int, j: int) -> tuple[Tensor, Tensor]:
        return self.embeddings[i], (self.embeddings if self.others is None else self.others)[j]

    def squared(self, i: int, j: int) -> Tensor:
        """What the triplet loss compares."""
        a, b = self.ends(i, j)
        if self.distance == "cosine":
            # The same vector is at 0, with the derivative of a smallest value.
            same = torch.equal(a, b)
            return (a - b).square().sum() if same else 1 - torch.cosine_similarity(a, b, dim=0)
        return (a - b).square().sum()

    def root(self, i: int, j: int) -> Tensor:
        """What the contrastive loss compares."""
        compared = self.squared(i, j)
        if self.distance == "cosine":
            return compared
        # The root has no derivative at 0; two equal items push nowhere.
        return compared.sqrt() if compared > 0 else compared.detach()

    def labels_at(self) -> tuple[list[int], list[int]]:
        others = self.labels if self.other_labels is None else self.other_labels
        return self.labels.tolist(), others.tolist()

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Every pair, once."""
        labels, others = self.labels_at()
        for i in range(len(labels)):
            yield from ((i, j) for j in range(i + 1 if self.own else 0, len(others)))

    def triplets(self) -> Iterator[tuple[int, int, int]]:
        """Every (anchor, positive, negative)."""
        labels, others = self.labels_at()
        for a, label in enumerate(labels):
            for p, other in enumerate(others):
                if other == label and not (self.own and p == a):
                    yield from ((a, p, n) for n, third in enumerate(others) if third != label)


def contrastive(
    scene: Scene, margin: float, chosen: Iterable[tuple[int, int]] | None = None
) -> Tally:
    """Squared distance of positive pairs, squared gap to the margin of negative ones."""
    tally = _empty(scene, "positive", "negative")
    labels, others = scene.labels_at()
    for i, j in scene.pairs() if chosen is None else chosen:
        anchors = (i, j) if scene.own else (i,)
        if labels[i] == others[j]:
            value = scene.squared(i, j) if scene.distance == "euclidean" else scene.root(i, j) ** 2
            tally.add("positive", value, *anchors)
        else:
            tally.add("negative", torch.relu(margin - scene.root(i, j)) ** 2, *anchors)
    return tally


def triplet(
    scene: Scene, margin: float, chosen: Iterable[tuple[int, int, int]] | None = None
) -> Tally:
    """The hinge of every anchor, positive and negative."""
    tally = _empty(scene, "triplet")
    for a, p, n in scene.triplets() if chosen is None else chosen:
        hinge = torch.relu(scene.squared(a, p) - scene.squared(a, n) + margin)
        tally.add("triplet", hinge, a)
    return tally


def _empty(scene: Scene, *names: str) -> Tally:
    zero = scene.embeddings.sum() * 0  # differentiable
    if scene.others is not None:
        zero = zero + scene.others.sum() * 0
    return Tally({name: Tuples(zero) for name in names})


LOOPS: dict[str, Callable[..., Tally]] = {"contrastive": contrastive, "triplet": triplet}
