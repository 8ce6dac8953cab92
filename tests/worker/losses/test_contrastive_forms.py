"""The forms of the contrastive loss: balanced, with a positive margin, with a linear push."""

from itertools import product
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from pytorch_metric_learning.distances import BaseDistance, CosineSimilarity, LpDistance
from pytorch_metric_learning.losses import ContrastiveLoss as PeerLoss
from pytorch_metric_learning.reducers import MeanReducer
from torch import Tensor

from tests.support.loss_agreement import assert_agrees, compute_loss, gradients
from tests.support.reference_losses import LossBatch
from worker import losses
from worker.losses import LossOutput, two_ways

DISTANCES = ("euclidean", "cosine")
FORMS: list[dict[str, Any]] = [
    {"hinge": "linear"},
    {"positive_margin": 0.2},
    {"positive_margin": 0.25, "hinge": "linear"},
]
PRECISIONS = ((torch.float64, 1e-11), (torch.float32, 4e-5))
LABELS = {
    "three classes": [0, 1, 2, 0, 1, 2, 0, 1, 0, 2],
    "one class": [4, 4, 4, 4],
    "all different": [0, 1, 2, 3],
    "two of one class": [5, 5],
    "one item": [0],
}
OTHER_LABELS = {
    "more others": ([0, 1, 0, 2], [1, 0, 2, 1, 0, 0, 3]),
    "nothing in common": ([0, 1], [2, 3, 3]),
    "one class": ([4, 4], [4, 4, 4]),
}


def points(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.7 * torch.randn(*shape, generator=generator, dtype=torch.float64)


def loss_of(embeddings: Tensor, labels: list[int], **settings: Any) -> LossOutput:
    return compute_loss("contrastive", LossBatch(embeddings, torch.tensor(labels)), **settings)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", LABELS)
def test_agrees_with_the_loop(name: str, distance: str, form: dict[str, Any]) -> None:
    labels = torch.tensor(LABELS[name])
    for margin, (dtype, tolerance) in product((0.3, 1.0, 8.0), PRECISIONS):
        scene = LossBatch(points(len(labels), 5).to(dtype), labels, distance=distance)
        settings = {**form, "pull_weight": 0.3}
        assert_agrees("contrastive", scene, margin=margin, tolerance=tolerance, **settings)


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", OTHER_LABELS)
def test_agrees_with_the_loop_between_modalities(
    name: str, distance: str, form: dict[str, Any]
) -> None:
    labels, other_labels = map(torch.tensor, OTHER_LABELS[name])
    embeddings, others = points(len(labels), 5), points(len(other_labels), 5, seed=1)
    for margin, (dtype, tolerance) in product((0.3, 8.0), PRECISIONS):
        scene = LossBatch(embeddings.to(dtype), labels, others.to(dtype), other_labels, distance)
        assert_agrees("contrastive", scene, margin=margin, tolerance=tolerance, **form)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_duplicates_have_a_finite_gradient(form: dict[str, Any]) -> None:
    """Whole numbers: every distance is exact, and those of duplicates are 0."""
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randint(-1, 2, (16, 2), generator=generator)
    for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-12)):
        scene = LossBatch(embeddings.to(dtype), torch.arange(16) % 3)
        assert_agrees("contrastive", scene, margin=2.0, tolerance=tolerance, **form)


@pytest.mark.parametrize("reduction", ["mean", "balanced"])
@pytest.mark.parametrize("form", [{}, *FORMS], ids=str)
@pytest.mark.parametrize("distance", DISTANCES)
def test_gradient_is_the_derivative(distance: str, form: dict[str, Any], reduction: str) -> None:
    """Finite differences."""
    embeddings, others = points(9, 3).requires_grad_(), points(5, 3, seed=1).requires_grad_()
    labels = torch.tensor([0, 1, 2] * 3)
    settings: dict[str, Any] = {"margin": 1.5, "reduction": reduction, "pull_weight": 0.8, **form}

    def alone(batch: Tensor) -> Tensor:
        return compute_loss(
            "contrastive", LossBatch(batch, labels, distance=distance), **settings
        ).value

    def between(batch: Tensor, others: Tensor) -> Tensor:
        scene = LossBatch(batch, labels, others, labels[:5], distance)
        return compute_loss("contrastive", scene, **settings).value

    assert torch.autograd.gradcheck(alone, (embeddings,))
    assert torch.autograd.gradcheck(between, (embeddings, others))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_pair_at_the_positive_margin_is_not_active(dtype: torch.dtype) -> None:
    for angle in torch.linspace(0, 6.28, 100, dtype=torch.float64):
        along = torch.stack((angle.cos(), angle.sin()))
        at, beyond = (torch.stack((0 * along, far * along)).to(dtype) for far in (0.3, 0.3003))
        settings = {"positive_margin": 0.3, "margin": 1.0}
        assert loss_of(at, [0, 0], **settings).active == 0
        assert loss_of(beyond, [0, 0], **settings).active == 1


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_balanced_is_the_weighted_sum_of_both_means(weight: float) -> None:
    embeddings, labels = points(8, 3), [0, 0, 0, 0, 1, 1, 2, 3]
    output = loss_of(embeddings, labels, reduction="balanced", pull_weight=weight, margin=2.0)
    pull, push = output.parts["positive"], output.parts["negative"]
    assert (int(pull.valid), int(push.valid)) == (7, 21)
    expected = weight * pull.total / 7 + (1 - weight) * push.total / 21
    assert output.value.item() == pytest.approx(expected.item())
    assert (output.divisor, output.pull_weight) == (None, weight)


@pytest.mark.parametrize(("labels", "kept", "lost"), [([0] * 4, 0, 1), ([0, 1, 2, 3], 1, 0)])
def test_a_kind_of_pair_that_is_absent_adds_nothing(
    labels: list[int], kept: int, lost: int
) -> None:
    """And the other one keeps its weight."""
    embeddings = points(4, 3).requires_grad_()
    output = loss_of(embeddings, labels, reduction="balanced", pull_weight=0.25, margin=2.0)
    parts = list(output.parts.values())
    assert parts[lost].valid == 0
    mean = parts[kept].total / parts[kept].valid
    assert output.value.item() == pytest.approx((0.25, 0.75)[kept] * mean.item())


@pytest.mark.parametrize("reduction", ["balanced", "mean"])
def test_a_batch_without_pairs_is_a_differentiable_zero(reduction: str) -> None:
    embeddings = points(1, 3).requires_grad_()
    output = loss_of(embeddings, [0], reduction=reduction)
    assert output.value == 0
    assert output.state == "no valid tuple"
    output.value.backward()
    assert embeddings.grad is not None
    assert not embeddings.grad.any()


@pytest.mark.parametrize("selection", ["all", "sampled", "semi_hard", "distance_weighted"])
def test_between_modalities_both_directions_add_up(selection: str) -> None:
    labels = torch.arange(12) % 3
    loss = losses.build({"kind": "contrastive", "reduction": "balanced", "selection": selection})
    audio, visual = points(12, 5).requires_grad_(), points(12, 5, seed=1).requires_grad_()
    both = two_ways(loss, audio, visual, labels, generator=torch.Generator().manual_seed(0))
    draws = torch.Generator().manual_seed(0)
    there = loss(audio, labels, others=visual, other_labels=labels, generator=draws)
    back = loss(visual, labels, others=audio, other_labels=labels, generator=draws)
    assert both.value.item() == pytest.approx((there.value + back.value).item())
    assert (both.divisor, both.pull_weight) == (None, 0.5)
    if selection == "all":  # the pairs are the same in both directions
        assert there.value.item() == pytest.approx(back.value.item())
    expected = torch.autograd.grad(there.value + back.value, (audio, visual))
    for seen, right in zip(torch.autograd.grad(both.value, (audio, visual)), expected, strict=True):
        torch.testing.assert_close(seen, right)


class SquaredPull(PeerLoss):  # type: ignore[misc]
    """The peer's loss with squared positives; by default it squares neither part."""

    def pos_calc(self, distances: Tensor, margin: float) -> Tensor:
        squared: Tensor = super().pos_calc(distances, margin).square()
        return squared


PEER_DISTANCES: dict[str, tuple[BaseDistance, float, float]] = {
    "euclidean": (LpDistance(normalize_embeddings=False, p=2, power=1), 3.5, 4.5),
    "cosine": (CosineSimilarity(), 0.8, 1.1),
}
"""With a positive margin and a margin that some pairs keep and others do not."""


@pytest.mark.parametrize("others", [None, 25])
@pytest.mark.parametrize("distance", DISTANCES)
def test_the_linear_form_agrees_with_the_peer(distance: str, others: int | None) -> None:
    labels = torch.randint(0, 4, (40,), generator=torch.Generator().manual_seed(0))
    embeddings = points(40, 16).requires_grad_()
    scene = LossBatch(embeddings, labels, distance=distance)
    if others is not None:
        more = points(others, 16, seed=1).requires_grad_()
        scene = LossBatch(embeddings, labels, more, labels[:others], distance)
    kind, near, far = PEER_DISTANCES[distance]
    ours = compute_loss(
        "contrastive",
        scene,
        reduction="balanced",
        margin=far,
        positive_margin=near,
        hinge="linear",
    )
    assert all(0 < part.active_ratio < 1 for part in ours.parts.values())
    # The peer adds both means up, and has margins of similarities.
    margins = (1 - near, 1 - far) if distance == "cosine" else (near, far)
    peer = SquaredPull(*margins, distance=kind, reducer=MeanReducer())
    theirs: Tensor = peer(embeddings, labels, None, scene.others, scene.other_labels)
    torch.testing.assert_close(2 * ours.value, theirs, rtol=1e-12, atol=0)
    for seen, right in zip(gradients(2 * ours.value, scene), gradients(theirs, scene), strict=True):
        torch.testing.assert_close(seen, right)


def test_settings_that_make_no_sense_are_refused() -> None:
    for settings, field, message in (
        ({"positive_margin": 0.5, "margin": 0.5}, "positive_margin", "below the margin 0.5"),
        ({"positive_margin": 1.2}, "positive_margin", "below the margin 1"),
        ({"positive_margin": -0.1}, "positive_margin", "greater than or equal to 0"),
        ({"pull_weight": 1.1}, "pull_weight", "less than or equal to 1"),
        ({"hinge": "cubed"}, "hinge", "squared"),
    ):
        with pytest.raises(ValidationError, match=message) as caught:
            losses.build({"kind": "contrastive", **settings})
        [problem] = caught.value.errors()
        assert problem["loc"][-1] == field
    assert losses.build({"kind": "contrastive", "margin": 0.0}).reduction == "mean"
    for kind in ("triplet", "n_pair", "info_nce", "sup_con"):
        with pytest.raises(ValidationError, match="'mean', 'sum' or 'mean_active'"):
            losses.build({"kind": kind, "reduction": "balanced"})
