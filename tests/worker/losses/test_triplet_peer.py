"""Triplet loss against pytorch-metric-learning, wherever that can express the same loss."""

from typing import Any

import pytest
import torch
from pytorch_metric_learning.distances import BaseDistance, CosineSimilarity, LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.miners import BatchHardMiner, TripletMarginMiner
from pytorch_metric_learning.reducers import MeanReducer, SumReducer
from torch import Tensor

from tests.support.loss_agreement import compute_loss, gradients
from tests.support.reference_losses import LossBatch

MARGIN = 0.3


def distance_of(scene: LossBatch) -> BaseDistance:
    if scene.distance == "cosine":
        return CosineSimilarity()
    return LpDistance(normalize_embeddings=False, p=2, power=2)


def batch(size: int, classes: int, others: int | None, distance: str) -> LossBatch:
    torch.manual_seed(classes)
    embeddings = torch.randn(size, 16, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, classes, (size,))
    if others is None:
        return LossBatch(embeddings, labels, distance=distance)
    points = torch.randn(others, 16, dtype=torch.float64, requires_grad=True)
    return LossBatch(embeddings, labels, points, torch.randint(0, classes, (others,)), distance)


def peer(scene: LossBatch, reducer: Any, miner: Any = None) -> Tensor:
    loss = TripletMarginLoss(
        margin=MARGIN, triplets_per_anchor="all", distance=distance_of(scene), reducer=reducer
    )
    tuples = None
    if miner is not None:
        tuples = miner(scene.embeddings, scene.labels, scene.others, scene.other_labels)
    value: Tensor = loss(scene.embeddings, scene.labels, tuples, scene.others, scene.other_labels)
    return value


def same(ours: Tensor, theirs: Tensor, scene: LossBatch) -> None:
    assert theirs > 0
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)
    for seen, expected in zip(gradients(ours, scene), gradients(theirs, scene), strict=True):
        torch.testing.assert_close(seen, expected)


@pytest.mark.parametrize(("reduction", "reducer"), [("sum", SumReducer), ("mean", MeanReducer)])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
@pytest.mark.parametrize(
    ("size", "classes", "others"),
    [(40, 2, None), (40, 7, None), (150, 2, None), (30, 3, 50), (50, 9, 20)],
)
def test_all_triplets(
    *,
    size: int,
    classes: int,
    others: int | None,
    distance: str,
    reduction: str,
    reducer: type,
) -> None:
    scene = batch(size, classes, others, distance)
    ours = compute_loss("triplet", scene, margin=MARGIN, reduction=reduction)
    same(ours.value, peer(scene, reducer()), scene)


@pytest.mark.parametrize("others", [None, 25])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_semi_hard_triplets(distance: str, others: int | None) -> None:
    scene = batch(40, 4, others, distance)
    miner = TripletMarginMiner(
        margin=MARGIN, type_of_triplets="semihard", distance=distance_of(scene)
    )
    mined = miner(scene.embeddings, scene.labels, scene.others, scene.other_labels)
    ours = compute_loss("triplet", scene, margin=MARGIN, selection="semi_hard", reduction="sum")
    assert ours.selected is not None
    assert int(ours.selected["triplet"].valid) == len(mined[0]) > 0
    same(ours.value, peer(scene, SumReducer(), miner), scene)


@pytest.mark.parametrize("others", [None, 25])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_hardest_triplets(distance: str, others: int | None) -> None:
    scene = batch(40, 4, others, distance)
    miner = BatchHardMiner(distance=distance_of(scene))
    ours = compute_loss("triplet", scene, margin=MARGIN, selection="batch_hard", reduction="mean")
    assert ours.selected is not None
    assert int(ours.selected["triplet"].valid) == 40
    same(ours.value, peer(scene, MeanReducer(), miner), scene)
