"""Verification against scikit-learn and by hand."""

import sys
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
from torch import Tensor

from worker import measure
from worker.errors import InputError

module = sys.modules["worker.measure.verification"]  # the package names the function so


def clusters(count: int = 60, classes: int = 5, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    centres = torch.randn(classes, 6, generator=generator)
    return centres[labels] + 0.7 * torch.randn(count, 6, generator=generator), labels


def all_pairs(embeddings: Tensor, labels: Tensor) -> tuple[np.ndarray, np.ndarray]:
    points = embeddings.double()
    rows = list(combinations(range(len(labels)), 2))
    distances = [float((points[a] - points[b]).norm()) for a, b in rows]
    return np.array(distances), np.array([bool(labels[a] == labels[b]) for a, b in rows])


def tied(count: int = 60) -> tuple[Tensor, Tensor]:
    """Items on a small grid, so that many distances are equal."""
    embeddings, labels = clusters(count)
    return embeddings.round(), labels


@pytest.mark.parametrize("make", [clusters, tied])
def test_figures_are_those_of_scikit_learn(make: object) -> None:
    embeddings, labels = clusters() if make is clusters else tied()
    found = measure.verification(embeddings, labels)
    distances, same = all_pairs(embeddings, labels)
    distances = distances.round(9)  # equal distances may differ by rounding
    assert found["verification.roc_auc"] == pytest.approx(roc_auc_score(same, -distances))
    assert found["verification.average_precision"] == pytest.approx(
        average_precision_score(same, -distances)
    )
    far, tar, _ = roc_curve(same, -distances, drop_intermediate=False)
    for limit in (10, 100, 1000):
        wanted = tar[far <= 1 / limit].max()
        assert found[f"verification.tar_at_far_1_in_{limit}"] == pytest.approx(wanted)
    crossing = np.interp(0, far + tar - 1, far)
    assert found["verification.equal_error_rate"] == pytest.approx(crossing)


def test_far_items_leave_the_distances_of_the_others_apart() -> None:
    embeddings, labels = far_item(1_200)  # many distances in little room
    one, other = np.triu_indices(len(labels), 1)
    same = (labels[one] == labels[other]).numpy()
    near = -pdist(embeddings.double().numpy())
    found = measure.verification(embeddings, labels)
    assert found["verification.roc_auc"] == pytest.approx(roc_auc_score(same, near), abs=1e-6)
    wanted = average_precision_score(same, near)
    assert found["verification.average_precision"] == pytest.approx(wanted, abs=1e-5)


def test_figures_by_hand() -> None:
    counts = measure.counts_of(
        torch.tensor([1.0, 2.0, 2.0, 3.0]), torch.tensor([True, True, False, False])
    )
    found = measure.verification_figures(counts)
    assert found["verification.roc_auc"] == pytest.approx((2 + 1.5) / 4)
    assert found["verification.average_precision"] == pytest.approx(0.5 + 0.5 * 2 / 3)
    assert found["verification.equal_error_rate"] == pytest.approx(1 / 4)
    assert found["verification.tar_at_far_1_in_10"] == 0.5


def far_item(count: int = 400) -> tuple[Tensor, Tensor]:
    """Items of which one lies 10,000 times as far away as the others."""
    embeddings, labels = clusters(count, 8)
    embeddings[0] *= 10_000
    return embeddings, labels


def groups_of_classes() -> tuple[Tensor, Tensor]:
    """Classes in groups that lie far apart, so that most pairs of two classes are far."""
    embeddings, labels = clusters(400, 8, 1)
    return embeddings + 1000.0 * (labels % 4)[:, None], labels


@pytest.mark.parametrize(
    "make", [lambda: clusters(400, 8), lambda: tied(400), far_item, groups_of_classes]
)
def test_rounded_distances_agree_with_sorting(
    monkeypatch: pytest.MonkeyPatch, make: Callable[[], tuple[Tensor, Tensor]]
) -> None:
    embeddings, labels = make()
    exact = measure.verification(embeddings, labels)
    monkeypatch.setattr(module, "EXACT_PAIRS", 0)
    counts = measure.count_pairs(embeddings, labels)
    assert int(counts.same.sum() + counts.different.sum()) == 400 * 399 // 2
    assert measure.verification_figures(counts) == pytest.approx(exact, abs=1e-4)


def test_one_point_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, labels = torch.ones(6, 3), torch.arange(6) % 2
    few = measure.verification(embeddings, labels)
    monkeypatch.setattr(module, "EXACT_PAIRS", 0)
    assert measure.verification(embeddings, labels) == few
    assert few["verification.roc_auc"] == 0.5
    assert few["verification.equal_error_rate"] == 0.5
    assert few["verification.tar_at_far_1_in_10"] == 0.0


def test_classes_that_lie_apart_are_told_apart() -> None:
    labels = torch.arange(20) % 2
    embeddings = labels[:, None] * 10.0 + torch.rand(20, 2)
    found = measure.verification(embeddings, labels)
    assert found["verification.equal_error_rate"] == 0.0
    assert {value for key, value in found.items() if "error" not in key} == {1.0}
    threshold = measure.best_threshold(measure.count_pairs(embeddings, labels))
    applied = measure.at_threshold(embeddings, labels, threshold)
    assert set(applied.values()) == {0.0}


def test_a_threshold_is_applied_to_other_items() -> None:
    chosen_on, other = clusters(80, 5, 1), clusters(90, 5, 2)
    threshold = measure.best_threshold(measure.count_pairs(*chosen_on))
    distances, same = all_pairs(*chosen_on)
    errors = [(distances[~same] <= at).mean() + (distances[same] > at).mean() for at in distances]
    own = (distances[~same] <= threshold).mean() + (distances[same] > threshold).mean()
    assert own == pytest.approx(min(errors))

    found = measure.at_threshold(*other, threshold)
    distances, same = all_pairs(*other)
    far, frr = (distances[~same] <= threshold).mean(), (distances[same] > threshold).mean()
    assert found["verification.threshold.far"] == pytest.approx(far)
    assert found["verification.threshold.frr"] == pytest.approx(frr)
    assert found["verification.threshold.balanced_error"] == pytest.approx((far + frr) / 2)
    of_pair = np.array([int(a) for a, _ in combinations(other[1].tolist(), 2)])
    by_class = [(distances[same & (of_pair == c)] > threshold).mean() for c in range(5)]
    assert found["verification.threshold.frr_spread"] == pytest.approx(np.std(by_class))


def test_rounded_distances_that_are_equal_stay_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, labels = tied(200)
    exact = measure.count_pairs(embeddings, labels)
    monkeypatch.setattr(module, "EXACT_PAIRS", 0)
    rounded = measure.count_pairs(embeddings, labels)
    assert rounded.same.tolist() == exact.same.tolist()
    assert rounded.different.tolist() == exact.different.tolist()
    assert rounded.distances[1:].tolist() == pytest.approx(exact.distances[1:].tolist(), rel=2**-16)


def test_pairs_are_counted_at_once_or_in_parts_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, labels = clusters(300, 6)
    monkeypatch.setattr(module, "EXACT_PAIRS", 0)
    whole = measure.count_pairs(embeddings, labels)
    monkeypatch.setattr(module, "_COUNTED_AT_ONCE", 1)
    parts = measure.count_pairs(embeddings, labels)
    assert all(torch.equal(one, other) for one, other in zip(whole, parts, strict=True))


def test_large_classes_are_judged_like_small_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    embeddings, labels = clusters(150, 4)
    labels[labels == 3] = torch.arange(int((labels == 3).sum())) // 2 + 3  # classes of two
    found = measure.at_threshold(embeddings, labels, 2.0)
    monkeypatch.setattr(module, "_PAIRWISE_MEMBERS", 2)
    assert measure.at_threshold(embeddings, labels, 2.0) == pytest.approx(found)
    assert found["verification.threshold.frr_spread"] > 0


def test_similarities_are_counted_as_negative_distances() -> None:
    similarity = torch.tensor([0.9, 0.5, 0.5, -0.2])
    same = torch.tensor([True, True, False, False])
    found = measure.verification_figures(measure.counts_of(-similarity, same))
    assert found["verification.roc_auc"] == pytest.approx(roc_auc_score(same, similarity))


def test_items_without_both_kinds_of_pairs_are_refused() -> None:
    points = torch.randn(4, 2)
    with pytest.raises(InputError, match="two classes or more"):
        measure.verification(points, torch.zeros(4).long())
    with pytest.raises(InputError, match="a class with two members"):
        measure.verification(points, torch.arange(4))
    with pytest.raises(InputError, match="a pair of two classes"):
        measure.counts_of(torch.ones(2), torch.tensor([True, True]))
    with pytest.raises(InputError, match="1 of 2 are not finite"):
        measure.counts_of(torch.tensor([1.0, torch.nan]), torch.tensor([True, False]))
    with pytest.raises(InputError, match=r"same: expected \[2\] of bool, got \[3\]"):
        measure.counts_of(torch.ones(2), torch.tensor([True, True, False]))
    with pytest.raises(InputError, match="same: expected"):
        measure.counts_of(torch.ones(2), torch.tensor([1, 0]))
    with pytest.raises(InputError, match="distances: expected"):
        measure.counts_of(torch.tensor([1, 2]), torch.tensor([True, False]))
    with pytest.raises(InputError, match="a class with two members"):
        measure.verification(torch.ones(1, 2), torch.zeros(1).long())
    with pytest.raises(InputError, match="not finite"):
        measure.verification(torch.full((4, 2), torch.nan), torch.tensor([0, 0, 1, 1]))
