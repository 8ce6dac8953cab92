"""The scale of the N-pair loss, and the floor that the loss has on unit vectors."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from worker import losses


def floor(classes: int, scale: float) -> float:
    return math.log(1 + (classes - 1) * math.exp(-scale * classes / (classes - 1)))


def simplex(classes: int) -> Tensor:
    """Return unit vectors whose dot products are all -1 / (classes - 1)."""
    return functional.normalize(torch.eye(classes, dtype=torch.float64) - 1 / classes, dim=1)


def loss_of(embeddings: Tensor, labels: Tensor, scale: float) -> Tensor:
    loss = losses.build({"kind": "n_pair", "scale": scale})
    value: Tensor = loss(embeddings, labels, generator=torch.Generator().manual_seed(0)).value
    return value


@pytest.mark.parametrize("scale", [0.5, 1.0, 10.0])
def test_it_multiplies_the_dot_products(scale: float) -> None:
    labels = torch.arange(12) % 4
    embeddings = torch.randn(12, 5, dtype=torch.float64).requires_grad_()
    scaled = loss_of(embeddings * math.sqrt(scale), labels, 1.0)
    ours = loss_of(embeddings, labels, scale)
    torch.testing.assert_close(ours, scaled)
    for seen, expected in zip(
        torch.autograd.grad(ours, embeddings), torch.autograd.grad(scaled, embeddings), strict=True
    ):
        torch.testing.assert_close(seen, expected)
    assert torch.autograd.gradcheck(lambda points: loss_of(points, labels, scale), (embeddings,))


@pytest.mark.parametrize("scale", [1.0, 4.0, 10.0])
@pytest.mark.parametrize("classes", [2, 10])
def test_collapsed_classes_at_the_corners_of_a_simplex_reach_the_floor(
    classes: int, scale: float
) -> None:
    labels = torch.arange(classes).repeat(2)
    best = loss_of(simplex(classes).repeat(2, 1), labels, scale)
    assert best.item() == pytest.approx(floor(classes, scale), rel=1e-9)


def test_ten_classes_have_the_floor_that_the_form_names() -> None:
    assert floor(10, 1) == pytest.approx(1.377, abs=5e-4)
    assert floor(10, 10) == pytest.approx(0.0001, abs=5e-5)


def test_no_unit_vectors_go_below_the_floor() -> None:
    """Descent from random starts, also with anchors apart from their positives, ends above it."""
    labels = torch.arange(5)
    for seed in range(2):
        rng = torch.Generator().manual_seed(seed)
        both = torch.randn(2, 5, 6, generator=rng, dtype=torch.float64).requires_grad_()
        descent = torch.optim.Adam([both], lr=0.1)
        loss = losses.build({"kind": "n_pair", "scale": 2.0})
        for _ in range(200):
            anchors, positives = functional.normalize(both, dim=2)
            value = loss(anchors, labels, others=positives, other_labels=labels).value
            descent.zero_grad()
            value.backward()
            descent.step()
        assert floor(5, 2.0) - 1e-9 <= value.item() < floor(5, 2.0) + 1e-3
