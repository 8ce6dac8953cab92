"""Losses against slow loops from their formulas."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import TripletMarginLoss
from pytorch_metric_learning.reducers import MeanReducer, SumReducer
from torch import Tensor

from tests.support.loops import LOOPS
from worker import losses
from worker.losses import LossOutput
from worker.losses.triplet_weights import LOOP_UP_TO

KINDS = ("contrastive", "triplet")
REDUCTIONS = ("mean", "sum", "mean_active")
LABELS = {
    "three classes": [0, 1, 2, 0, 1, 2, 0, 1, 0, 2, 1, 0],
    "any numbers": [-7, 10**12, -7, 3, 3, 10**12, -7],
    "a class of one": [0, 0, 1, 2, 2, 2],
    "one class": [4, 4, 4, 4],
    "no two alike": [0, 1, 2, 3],
    "two alike": [5, 5],
    "two unlike": [5, 6],
    "alone": [0],
}


def compute(kind: str, embeddings: Tensor, labels: Tensor, **settings: Any) -> LossOutput:
    output: LossOutput = losses.build({"kind": kind, **settings})(embeddings, labels)
    return output


def gradient(value: Tensor, embeddings: Tensor) -> Tensor:
    return torch.autograd.grad(value, embeddings)[0]


def agree(
    kind: str,
    embeddings: Tensor,
    labels: Tensor,
    *,
    margin: float,
    tolerance: float,
    reduction: str = "mean",
) -> None:
    """Value, gradient, parts and counts are those of the loop, which runs in float64."""
    embeddings = embeddings.detach().requires_grad_()
    exact = embeddings.detach().to(torch.float64).requires_grad_()
    ours = compute(kind, embeddings, labels, margin=margin, reduction=reduction)
    loop = LOOPS[kind](exact, labels, margin)

    def close(seen: Tensor, expected: Tensor) -> None:
        torch.testing.assert_close(
            seen.to(torch.float64), expected.to(torch.float64), rtol=tolerance, atol=tolerance
        )

    assert ours.value.dtype == embeddings.dtype
    close(ours.value, loop.value(reduction))
    close(ours.mean_over_valid, loop.value("mean"))
    close(gradient(ours.value, embeddings), gradient(loop.value(reduction), exact))
    assert list(ours.parts) == list(loop.parts)
    for name, part in loop.parts.items():
        close(ours.parts[name].total, part.total)
        assert int(ours.parts[name].active) == part.active
        assert int(ours.parts[name].valid) == part.valid
    assert int(ours.active) == sum(part.active for part in loop.parts.values())
    assert int(ours.valid) == sum(part.valid for part in loop.parts.values())
    share = len(loop.active_anchors) / len(loop.anchors) if loop.anchors else float("nan")
    assert float(ours.active_anchors) == pytest.approx(share, nan_ok=True)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LABELS)
@pytest.mark.parametrize("kind", KINDS)
def test_agrees_with_the_loop(kind: str, name: str, reduction: str) -> None:
    labels = torch.tensor(LABELS[name])
    torch.manual_seed(len(labels))
    embeddings = torch.randn(len(labels), 5, dtype=torch.float64)
    for margin in (0.0, 0.3, 1.0, 8.0):  # 0.3 is not the same number in float32
        for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 2e-5)):
            batch = embeddings.to(dtype)
            agree(kind, batch, labels, margin=margin, tolerance=tolerance, reduction=reduction)


@pytest.mark.parametrize("margin", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_ties_and_duplicates(kind: str, margin: float, dtype: torch.dtype) -> None:
    """Whole numbers, 16 of them: every distance is exact, many are equal, some are 0."""
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randint(-1, 2, (16, 2), generator=generator).to(dtype)
    assert len(embeddings.unique(dim=0)) < 10
    labels = torch.arange(16) % 3
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    agree(kind, embeddings, labels, margin=margin, tolerance=tolerance)


@pytest.mark.parametrize("kind", KINDS)
def test_far_from_the_origin(kind: str) -> None:
    torch.manual_seed(0)
    embeddings = torch.randn(24, 8) * 0.3 + 30
    agree(kind, embeddings, torch.arange(24) % 4, margin=1.0, tolerance=1e-5)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradient_is_the_derivative(kind: str, reduction: str) -> None:
    torch.manual_seed(1)
    embeddings = torch.randn(9, 3, dtype=torch.float64, requires_grad=True)
    labels = torch.tensor([0, 1, 2] * 3)

    def value(batch: Tensor) -> Tensor:
        return compute(kind, batch, labels, margin=2.0, reduction=reduction).value

    assert torch.autograd.gradcheck(value, (embeddings,))


@pytest.mark.parametrize("kind", KINDS)
def test_second_derivative_is_refused(kind: str) -> None:
    """A closed-form gradient does not know its own derivative; better an error than a wrong one."""
    embeddings = torch.randn(6, 3, requires_grad=True)
    value = compute(kind, embeddings, torch.arange(6) % 2).value.square()
    [first] = torch.autograd.grad(value, embeddings, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_active_is_a_differentiable_zero(kind: str, reduction: str) -> None:
    embeddings = torch.tensor([[0.0], [0.0], [9.0], [9.0]], requires_grad=True)
    output = compute(kind, embeddings, torch.tensor([0, 0, 1, 1]), reduction=reduction)
    assert output.value == 0
    assert output.active == 0
    assert output.valid > 0
    assert output.active_ratio == 0
    assert output.active_anchors == 0
    assert not gradient(output.value, embeddings).any()


def test_a_ratio_of_no_tuples_does_not_exist() -> None:
    output = compute("contrastive", torch.randn(3, 2), torch.tensor([1, 1, 1]))
    assert output.parts["negative"].active_ratio.isnan()
    assert output.parts["positive"].active_ratio == 1
    output = compute("triplet", torch.randn(3, 2), torch.tensor([1, 1, 1]))
    assert output.active_ratio.isnan()
    assert output.active_anchors.isnan()
    assert output.mean_over_valid == 0


@pytest.mark.parametrize("size", [8, 4 * LOOP_UP_TO])
@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
@pytest.mark.parametrize("kind", KINDS)
def test_broken_embeddings_show_in_the_value(kind: str, broken: float, size: int) -> None:
    embeddings = torch.randn(size, 3)
    embeddings[2, 1] = broken
    assert compute(kind, embeddings, torch.arange(size) % 2).value.isnan()


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 2**31),
    size=st.integers(2, 24),
    classes=st.integers(1, 5),
    margin=st.sampled_from([0.0, 0.3, 1.0, 4.0]),
)
def test_order_and_names_of_classes_do_not_matter(
    kind: str, seed: int, size: int, classes: int, margin: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    embeddings = torch.randn(size, 4, generator=generator, dtype=torch.float64).requires_grad_()
    labels = torch.randint(0, classes, (size,), generator=generator)
    order = torch.randperm(size, generator=generator)
    names = torch.randperm(1000, generator=generator)[:classes] - 500
    before = compute(kind, embeddings, labels, margin=margin)
    after = compute(kind, embeddings[order], names[labels[order]], margin=margin)
    torch.testing.assert_close(after.value, before.value)
    torch.testing.assert_close(
        gradient(after.value, embeddings), gradient(before.value, embeddings), atol=1e-12, rtol=0
    )
    for name, part in before.parts.items():
        assert after.parts[name].active == part.active
        assert after.parts[name].valid == part.valid
    torch.testing.assert_close(after.active_anchors, before.active_anchors, equal_nan=True)


@pytest.mark.parametrize(("reduction", "reducer"), [("sum", SumReducer), ("mean", MeanReducer)])
@pytest.mark.parametrize(
    ("size", "classes"), [(40, 2), (40, 7), (3 * LOOP_UP_TO, 2)], ids=["few", "many", "sorted"]
)
def test_triplet_agrees_with_pytorch_metric_learning(
    size: int, classes: int, reduction: str, reducer: type
) -> None:
    torch.manual_seed(classes)
    embeddings = torch.randn(size, 16, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, classes, (size,))
    peer = TripletMarginLoss(
        margin=0.3,
        triplets_per_anchor="all",
        distance=LpDistance(normalize_embeddings=False, p=2, power=2),
        reducer=reducer(),
    )(embeddings, labels)
    ours = compute("triplet", embeddings, labels, margin=0.3, reduction=reduction).value
    torch.testing.assert_close(ours, peer, rtol=1e-12, atol=0)
    torch.testing.assert_close(gradient(ours, embeddings), gradient(peer, embeddings))


@pytest.mark.cuda
@pytest.mark.parametrize("classes", [2, 10])
@pytest.mark.parametrize("kind", KINDS)
def test_on_cuda(kind: str, classes: int) -> None:
    torch.manual_seed(0)
    embeddings = torch.randn(160, 16, dtype=torch.float64, requires_grad=True)
    labels = torch.arange(160) % classes
    there = embeddings.detach().cuda().requires_grad_()
    ours, on_device = compute(kind, embeddings, labels), compute(kind, there, labels.cuda())
    torch.testing.assert_close(on_device.value.cpu(), ours.value)
    assert int(on_device.active) == int(ours.active)
    torch.testing.assert_close(
        gradient(on_device.value, there).cpu(), gradient(ours.value, embeddings)
    )
