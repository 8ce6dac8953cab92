"""Contrastive and triplet loss over all tuples against slow loops written from their formulas."""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from tests.support.examples import at_most
from tests.support.loss_agreement import REDUCTIONS, assert_agrees, compute_loss, gradients
from tests.support.reference_losses import LossBatch
from worker.losses.batch import Batch
from worker.losses.distances import batch_distances

KINDS = ("contrastive", "triplet")
DISTANCES = ("euclidean", "cosine")
PRECISIONS = ((torch.float64, 1e-11), (torch.float32, 4e-5))
LABELS = {
    "three classes": [0, 1, 2, 0, 1, 2, 0, 1, 0, 2, 1, 0],
    "any numbers": [-7, 10**12, -7, 3, 3, 10**12, -7],
    "a class of one": [0, 0, 1, 2, 2, 2],
    "one class": [4, 4, 4, 4],
    "all different": [0, 1, 2, 3],
    "two of one class": [5, 5],
    "two of two classes": [5, 6],
    "one item": [0],
}
OTHER_LABELS = {
    "more others": ([0, 1, 0, 2], [1, 0, 2, 1, 0, 0, 3]),
    "fewer others": ([0, 1, 0, 2, 5, 10**12], [10**12, 0, 1]),
    "nothing in common": ([0, 1], [2, 3, 3]),
    "one class": ([4, 4], [4, 4, 4]),
    "two points": ([1], [1]),
}


def points(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_loop(kind: str, name: str, distance: str) -> None:
    labels = torch.tensor(LABELS[name])
    for margin, (dtype, tolerance) in product((0.0, 0.3, 1.0, 8.0), PRECISIONS):
        embeddings = points(len(labels), 5, seed=len(labels)).to(dtype)
        scene = LossBatch(embeddings, labels, distance=distance)
        assert_agrees(kind, scene, margin=margin, tolerance=tolerance)  # 0.3 is another float32


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("name", OTHER_LABELS)
@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_loop_between_modalities(kind: str, name: str, distance: str) -> None:
    labels, other_labels = map(torch.tensor, OTHER_LABELS[name])
    for margin, (dtype, tolerance) in product((0.0, 0.3, 8.0), PRECISIONS):
        embeddings, others = points(len(labels), 5), points(len(other_labels), 5, seed=1)
        scene = LossBatch(embeddings.to(dtype), labels, others.to(dtype), other_labels, distance)
        assert_agrees(kind, scene, margin=margin, tolerance=tolerance)


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ties_and_duplicates(kind: str, margin: float, dtype: torch.dtype) -> None:
    """Whole numbers, 16 of them: every distance is exact, many are equal, some are 0."""
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randint(-1, 2, (16, 2), generator=generator).to(dtype)
    assert len(embeddings.unique(dim=0)) < 10
    scene = LossBatch(embeddings, torch.arange(16) % 3)
    assert_agrees(kind, scene, margin=margin, tolerance=1e-5 if dtype == torch.float32 else 1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 0, 1], [0, 1, 0, 1, 1, 0]])
def test_parallel_vectors_have_cosine_distance_zero(kind: str, labels: list[int]) -> None:
    base = points(2, 3)[[0, 0, 0, 1, 1, 1]]
    scene = LossBatch(base, torch.tensor(labels), distance="cosine")
    assert_agrees(kind, scene, margin=0.5, tolerance=1e-11)
    longer = LossBatch(
        base * torch.tensor([1, 2, 4, 1, 2, 4])[:, None], scene.labels, distance="cosine"
    )
    ours, theirs = (compute_loss(kind, one, margin=0.5) for one in (scene, longer))
    assert int(ours.active) == int(theirs.active)
    torch.testing.assert_close(ours.value, theirs.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_zero_vector_is_orthogonal_to_all(kind: str) -> None:
    embeddings = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 0.0], [0.0, 2.0]], requires_grad=True)
    scene = LossBatch(embeddings, torch.tensor([0, 0, 1, 1]), distance="cosine")
    output = compute_loss(kind, scene, margin=2.0, reduction="sum")
    # All at cosine 0, so at distance 1: two positive pairs and four negative, or eight triplets.
    assert output.value == (2 * 1 + 4 * 1 if kind == "contrastive" else 8 * 2)
    [gradient] = gradients(output.value, scene)
    assert gradient.isfinite().all()
    assert not gradient[[0, 2]].any()


@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_loop_far_from_the_origin(kind: str) -> None:
    embeddings = (points(24, 8) * 0.3 + 30).float()
    labels = torch.arange(24) % 4
    assert_agrees(kind, LossBatch(embeddings, labels), margin=1.0, tolerance=1e-5)
    scene = LossBatch(embeddings[:10], labels[:10], embeddings[10:], labels[10:])
    assert_agrees(kind, scene, margin=1.0, tolerance=1e-5)


def test_cosines_of_near_vectors_do_not_cancel() -> None:
    """1 - cos is up to 3e-6 here, where the cosine itself has steps of 6e-8."""
    embeddings, labels = (1 + 1e-3 * points(24, 8)).float(), torch.arange(24)
    batch = Batch(embeddings, labels, embeddings, labels, against_itself=True)
    directions = functional.normalize(embeddings.double(), dim=1)
    exact = 1 - directions @ directions.T
    torch.testing.assert_close(
        batch_distances(batch, "cosine").compared.double(), exact, rtol=0, atol=1e-9
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_the_derivative(kind: str, distance: str, reduction: str) -> None:
    embeddings, others = points(9, 3).requires_grad_(), points(5, 3, seed=1).requires_grad_()
    labels = torch.tensor([0, 1, 2] * 3)

    def alone(batch: Tensor) -> Tensor:
        scene = LossBatch(batch, labels, distance=distance)
        return compute_loss(kind, scene, margin=1.5, reduction=reduction).value

    def between(batch: Tensor, others: Tensor) -> Tensor:
        scene = LossBatch(batch, labels, others, labels[:5], distance)
        return compute_loss(kind, scene, margin=1.5, reduction=reduction).value

    assert torch.autograd.gradcheck(alone, (embeddings,))
    assert torch.autograd.gradcheck(between, (embeddings, others))
    assert torch.autograd.gradcheck(between, (embeddings.detach(), others))


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivative_is_refused(kind: str) -> None:
    """The closed-form gradient has no derivative: an error is better than a wrong value."""
    embeddings = torch.randn(6, 3, requires_grad=True)
    value = compute_loss(kind, LossBatch(embeddings, torch.arange(6) % 2)).value.square()
    [first] = torch.autograd.grad(value, embeddings, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_active_is_a_differentiable_zero(kind: str, reduction: str) -> None:
    embeddings = torch.tensor([[0.0], [0.0], [9.0], [9.0]], requires_grad=True)
    scene = LossBatch(embeddings, torch.tensor([0, 0, 1, 1]))
    output = compute_loss(kind, scene, reduction=reduction)
    assert output.value == 0
    assert output.valid > 0
    assert output.active_ratio == 0
    assert output.active_anchors == 0
    assert not gradients(output.value, scene)[0].any()


def test_active_ratio_without_tuples_is_nan() -> None:
    output = compute_loss("contrastive", LossBatch(torch.randn(3, 2), torch.tensor([1, 1, 1])))
    assert output.parts["negative"].active_ratio.isnan()
    assert output.parts["positive"].active_ratio == 1


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=at_most(30), deadline=None)
@given(
    seed=st.integers(0, 2**31),
    size=st.integers(2, 24),
    classes=st.integers(1, 5),
    margin=st.sampled_from([0.0, 0.3, 1.0, 4.0]),
)
def test_order_of_items_and_numbers_of_classes_do_not_matter(
    *, kind: str, distance: str, seed: int, size: int, classes: int, margin: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    embeddings = points(size, 4, seed=seed).requires_grad_()
    labels = torch.randint(0, classes, (size,), generator=generator)
    order = torch.randperm(size, generator=generator)
    names = torch.randperm(1000, generator=generator)[:classes] - 500
    scene = LossBatch(embeddings, labels, distance=distance)
    other = LossBatch(embeddings[order], names[labels[order]], distance=distance)
    before, after = (
        compute_loss(kind, scene, margin=margin),
        compute_loss(kind, other, margin=margin),
    )
    torch.testing.assert_close(after.value, before.value)
    torch.testing.assert_close(
        gradients(after.value, scene)[0], gradients(before.value, scene)[0], atol=1e-12, rtol=0
    )
    for name, part in before.parts.items():
        assert after.parts[name].active == part.active
        assert after.parts[name].valid == part.valid
    torch.testing.assert_close(after.active_anchors, before.active_anchors, equal_nan=True)
