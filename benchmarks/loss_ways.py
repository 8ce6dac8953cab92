"""Ways to the value and gradient of a loss over a whole batch: ours, the peers', and a floor."""

from typing import Any

import torch
from pytorch_metric_learning import losses as peer_losses
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor

from benchmarks.loss_batch import Way
from worker import losses

OURS, PEER, BROADCAST, FLOOR = "ours", "pytorch-metric-learning", "broadcasting", "floor"


def ours(kind: str, reduction: str = "mean") -> Way:
    """Our loss, with the settings that the peers share."""
    loss = losses.build({"kind": kind, "reduction": reduction})

    def way(embeddings: Tensor, labels: Tensor) -> Tensor:
        value: Tensor = loss(embeddings, labels).value
        return value

    return way


def _floor(embeddings: Tensor, _labels: Tensor) -> Tensor:
    """One product forward, B x B; backward one with embeddings of B x D."""
    return _Products.apply(embeddings)  # type: ignore[no-untyped-call, no-any-return]


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, embeddings: Tensor) -> Tensor:
        products = embeddings @ embeddings.T
        ctx.save_for_backward(embeddings, products)
        return products[0, 0]

    @staticmethod
    def backward(ctx: Any, *_grads: Tensor) -> Tensor:
        embeddings, products = ctx.saved_tensors
        result: Tensor = products @ embeddings
        return result


def _distances(power: int) -> LpDistance:
    return LpDistance(normalize_embeddings=False, p=2, power=power)


_PEER_TRIPLET = peer_losses.TripletMarginLoss(
    margin=1.0, triplets_per_anchor="all", distance=_distances(2), reducer=MeanReducer()
)
_PEER_CONTRASTIVE = peer_losses.ContrastiveLoss(distance=_distances(1), reducer=MeanReducer())


def _peer(loss: torch.nn.Module) -> Way:
    def way(embeddings: Tensor, labels: Tensor) -> Tensor:
        value: Tensor = loss(embeddings, labels)
        return value

    return way


def _broadcast_contrastive(embeddings: Tensor, labels: Tensor) -> Tensor:
    distances = torch.cdist(embeddings, embeddings)
    same = labels[:, None] == labels[None, :]
    values = torch.where(same, distances.square(), (1 - distances).relu().square())
    return values.triu(diagonal=1).sum() / (len(labels) * (len(labels) - 1) / 2)


WAYS: dict[str, dict[str, Way]] = {
    "triplet": {
        OURS: ours("triplet"),
        PEER: _peer(_PEER_TRIPLET),
        FLOOR: _floor,
    },
    "contrastive": {
        OURS: ours("contrastive"),
        PEER: _peer(_PEER_CONTRASTIVE),
        BROADCAST: _broadcast_contrastive,
        FLOOR: _floor,
    },
}
