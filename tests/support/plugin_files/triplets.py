"""Our triplet loss as plug-ins: with its own counting, listed one by one, and as a number."""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from worker import losses
from worker.plugins import Terms, loss

Margin = Annotated[float, Field(1.0, ge=0, le=1000, title="Margin")]


@loss(name="counted_triplet", paper="1503.03832")
class CountedTriplet(nn.Module):
    """Sums and counts all triplets without listing them."""

    def __init__(self, margin: Margin) -> None:
        super().__init__()
        self._loss = losses.build({"kind": "triplet", "margin": margin})

    def forward(
        self,
        embeddings: Tensor,
        labels: Tensor,
        others: Tensor | None = None,
        other_labels: Tensor | None = None,
    ) -> Terms:
        """Return what our own loss finds."""
        found = self._loss(
            embeddings, labels, others=others, other_labels=other_labels, check_values=False
        )
        part = found.parts["triplet"]
        return Terms.counted(
            found.value,
            kind="triplet",
            total=part.total,
            active=part.active,
            valid=part.valid,
            active_anchors=found.active_anchors,
            mean=True,
        )


def hinges(embeddings: Tensor, labels: Tensor, margin: float) -> tuple[Tensor, Tensor]:
    """Return the hinge of every (anchor, positive, negative), and which of them are triplets."""
    gaps = embeddings[:, None] - embeddings[None, :]
    distances = gaps.square().sum(dim=2)
    same = labels[:, None] == labels[None, :]
    positive = same & ~torch.eye(len(labels), dtype=torch.bool)
    valid = positive[:, :, None] & ~same[:, None, :]
    return torch.relu(distances[:, :, None] - distances[:, None, :] + margin), valid


@loss(name="listed_triplet")
class ListedTriplet(nn.Module):
    """Lists all triplets."""

    def __init__(self, margin: Margin) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Terms:
        """Return the hinge of each triplet."""
        values, valid = hinges(embeddings, labels, self.margin)
        return Terms(values, valid, kind="triplet", hinge=True)


@loss(name="plain_triplet", label="Plain triplet")
class PlainTriplet(nn.Module):
    """Says nothing of its triplets."""

    def __init__(self, margin: Margin) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        """Return the mean hinge."""
        values, valid = hinges(embeddings, labels, self.margin)
        return torch.where(valid, values, 0).sum() / valid.sum().clamp(min=1)
