"""Every form that a loss may be computed in, on both sides of where one gives way to another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.support.loss_agreement import REDUCTIONS, assert_agrees, compute_loss
from tests.support.reference_losses import LossBatch
from worker import losses
from worker.losses import LossOutput, forms, small_triplets, triplet_weights

SCENES = ((0.3, torch.float64, 1e-11), (8.0, torch.float64, 1e-11), (1.0, torch.float32, 4e-5))
"""Margin, type and tolerance."""
LABELS = {
    "three classes": [0, 1, 2, 0, 1, 2, 0, 1, 0, 2, 1, 0],
    "any numbers": [-7, 10**12, -7, 3, 3, 10**12, -7],
    "a class of one": [0, 0, 1, 2, 2, 2],
    "one class": [4, 4, 4, 4],
    "all different": [0, 1, 2, 3],
    "one item": [0],
}
OTHER_LABELS = {
    "more others": ([0, 1, 0, 2], [1, 0, 2, 1, 0, 0, 3]),
    "nothing in common": ([0, 1], [2, 3, 3]),
    "one class": ([4, 4], [4, 4, 4]),
}
SETTINGS: list[dict[str, Any]] = [
    {"kind": "contrastive"},
    {"kind": "contrastive", "hinge": "linear"},
    {"kind": "contrastive", "positive_margin": 0.2},
    {"kind": "contrastive", "positive_margin": 0.25, "hinge": "linear", "pull_weight": 0.3},
    {"kind": "triplet"},
]


DISTANCES = ["euclidean", pytest.param("cosine", marks=pytest.mark.slow)]
"""The forms differ in how tuples are counted, not in how distances are computed."""


@contextmanager
def patched(*changes: tuple[Any, str, Any]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for owner, name, value in changes:
            patch.setattr(owner, name, value)
        yield


def never(*_: object) -> bool:
    return False


NOT_SMALL = (forms, "SMALL", 0)
FORMS: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "small": (),
    "small, torch compares": ((small_triplets, "FEW_COMPARISONS", 0),),
    "one block": (NOT_SMALL,),
    "blocks of a row": (NOT_SMALL, (forms, "BLOCK", 1), (triplet_weights, "TRIPLET_BLOCK", 1)),
    "ranks": (NOT_SMALL, (triplet_weights, "compares_thresholds", never)),
}


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_agrees_with_the_loop(form: str, settings: dict[str, Any], distance: str) -> None:
    kind, rest = settings["kind"], {key: settings[key] for key in settings if key != "kind"}
    with patched(*FORMS[form]):
        for labels in map(torch.tensor, LABELS.values()):
            for margin, dtype, tolerance in SCENES:
                scene = LossBatch(points(len(labels), 5).to(dtype), labels, distance=distance)
                assert_agrees(kind, scene, margin=margin, tolerance=tolerance, **rest)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("form", FORMS)
def test_agrees_with_the_loop_between_modalities(
    form: str, settings: dict[str, Any], distance: str
) -> None:
    kind, rest = settings["kind"], {key: settings[key] for key in settings if key != "kind"}
    with patched(*FORMS[form]):
        for own, others in OTHER_LABELS.values():
            scene = LossBatch(
                points(len(own), 5),
                torch.tensor(own),
                points(len(others), 5, seed=1),
                torch.tensor(others),
                distance,
            )
            assert_agrees(kind, scene, margin=1.0, tolerance=1e-11, **rest)


@pytest.mark.parametrize(
    "margin", [1.0, *(pytest.param(m, marks=pytest.mark.slow) for m in (0.0, 2.0))]
)
@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
@pytest.mark.parametrize("form", FORMS)
def test_ties_and_duplicates(form: str, kind: str, margin: float) -> None:
    """Whole numbers, 16 of them: every distance is exact, many are equal, some are 0."""
    generator = torch.Generator().manual_seed(3)
    embeddings = torch.randint(-1, 2, (16, 2), generator=generator)
    with patched(*FORMS[form]):
        for dtype, tolerance in ((torch.float32, 1e-5), (torch.float64, 1e-12)):
            scene = LossBatch(embeddings.to(dtype), torch.arange(16) % 3)
            assert_agrees(kind, scene, margin=margin, tolerance=tolerance)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
@pytest.mark.parametrize("form", FORMS)
def test_gradient_is_the_derivative(form: str, kind: str, reduction: str) -> None:
    labels = torch.tensor([0, 1, 2] * 3)

    def value(batch: Tensor) -> Tensor:
        scene = LossBatch(batch, labels)
        return compute_loss(kind, scene, margin=1.5, reduction=reduction).value

    with patched(*FORMS[form]):
        assert torch.autograd.gradcheck(value, (points(9, 3).requires_grad_(),))


@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
@pytest.mark.parametrize("form", FORMS)
def test_what_is_not_finite_makes_the_value_nan(form: str, kind: str) -> None:
    for bad in (torch.nan, torch.inf):
        for labels in ([0, 0, 1], [0, 1, 2], [0]):
            embeddings = points(len(labels), 4).float()
            embeddings[0, 1] = bad
            scene = LossBatch(embeddings, torch.tensor(labels))
            with patched(*FORMS[form]):
                output = compute_loss(kind, scene, check_values=False)
            assert output.value.isnan()


@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
@pytest.mark.parametrize("form", FORMS)
def test_the_trivial_loss_is_of_double_precision_too(form: str, kind: str) -> None:
    scene = LossBatch(points(9, 3), torch.arange(9) % 3)
    with patched(*FORMS[form]):
        output = compute_loss(kind, scene, margin=0.1)
    tuples = {"contrastive": 27 * 0.1**2, "triplet": 9 * 2 * 6 * 0.1}
    assert output.trivial is not None
    assert output.trivial.item() == pytest.approx(tuples[kind], rel=1e-14)


def test_the_switches_lie_where_the_next_tests_cross_them() -> None:
    """256 items are small, 257 are not; 31 positives are compared, 32 ranked."""
    assert [forms.is_small(torch.empty(n, 1), torch.empty(n, 1)) for n in (256, 257)] == [
        True,
        False,
    ]
    matrix = torch.empty(198, 198)
    assert [forms.compares_thresholds(matrix, n) for n in (31, 32)] == [True, False]
    assert [forms.compares_at_once(torch.empty(64, 64), n) for n in (64, 65)] == [True, False]


@pytest.mark.parametrize(
    ("size", "items"), [(256, 2), (257, 2), (181, 10), (128, 64), (198, 32), (198, 33), (210, 100)]
)
@pytest.mark.parametrize("kind", ["contrastive", "triplet"])
def test_agrees_with_all_tuples_at_each_switch(kind: str, size: int, items: int) -> None:
    """Distances far beyond the margin, and about as large as it."""
    labels = (torch.arange(size) // items)[torch.randperm(size)]
    for spread in (1.0, 0.2):
        embeddings = (spread * points(size, 6)).requires_grad_()
        hinges = ALL_TUPLES[kind](embeddings, labels)
        active, total = int((hinges > 0).sum()), hinges.sum()
        [slopes] = torch.autograd.grad(total, embeddings)
        assert 0 < active < len(hinges) or kind == "contrastive"
        for reduction in REDUCTIONS:
            loss = losses.build({"kind": kind, "margin": 1.0, "reduction": reduction})
            output: LossOutput = loss(embeddings, labels)
            [seen] = torch.autograd.grad(output.value, embeddings)
            assert (int(output.active), int(output.valid)) == (active, len(hinges))
            divisor = {"sum": 1, "mean": len(hinges), "mean_active": active}[reduction]
            torch.testing.assert_close(output.value, total / divisor)
            torch.testing.assert_close(seen, slopes / divisor)


def pair_losses(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Return the losses of all pairs, from a list of them."""
    one, other = torch.combinations(torch.arange(len(labels))).T
    distances = (embeddings[one] - embeddings[other]).square().sum(dim=1).sqrt()
    same = labels[one] == labels[other]
    return torch.where(same, distances.square(), (1 - distances).relu().square())


def triplet_losses(embeddings: Tensor, labels: Tensor) -> Tensor:
    """Return the losses of all triplets, from a cube of them."""
    squared = (embeddings[:, None] - embeddings).square().sum(dim=2)
    same = labels[:, None] == labels
    positive = same & ~torch.eye(len(labels), dtype=torch.bool)
    valid = positive[:, :, None] & ~same[:, None, :]
    return (squared[:, :, None] - squared[:, None, :] + 1).relu()[valid]


ALL_TUPLES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "contrastive": pair_losses,
    "triplet": triplet_losses,
}


def points(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)
