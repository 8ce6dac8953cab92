"""The hardest tuples against a search through all of them, and suspect labels against counting."""

from collections.abc import Callable
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

from backend.embeddings.tuples import LISTED, MOST_SAMPLES, hardest_tuples, suspects


def drawn(n: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three classes that overlap, and one sample alone in a fourth."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, n)
    labels[7] = 3
    return random.normal(size=(n, 5)) + labels[:, None] * 0.5, labels


def greedy(
    candidates: list[tuple[int, ...]], value: Callable[[tuple[int, ...]], float]
) -> list[tuple[tuple[int, ...], float]]:
    """The best candidates of which no two share a sample."""
    found: list[tuple[tuple[int, ...], float]] = []
    used: set[int] = set()
    for one in sorted(candidates, key=lambda one: -value(one)):
        if not used & set(one) and len(found) < LISTED:
            found.append((one, value(one)))
            used |= set(one)
    return found


@pytest.mark.parametrize("seed", range(3))
def test_they_are_those_that_a_search_through_all_tuples_finds(seed: int) -> None:
    points, labels = drawn(seed=seed)
    n = len(points)
    away = np.linalg.norm(points[:, None] - points, axis=2)
    mean = float(away.sum() / (n * (n - 1)))
    found = hardest_tuples(points, labels)
    assert found.among == n
    assert found.mean_distance == pytest.approx(mean)

    def violation(one: tuple[int, ...]) -> float:
        a, p, q = one
        return float(away[a, p] - away[a, q]) / mean

    triplets: list[tuple[int, ...]] = [
        (a, p, q)
        for a, p, q in product(range(n), repeat=3)
        if a != p and labels[a] == labels[p] != labels[q]
    ]
    pairs: list[tuple[int, ...]] = list(combinations(range(n), 2))
    distance = {one: float(away[one]) / mean for one in pairs}
    alike = [one for one in pairs if labels[one[0]] == labels[one[1]]]
    apart = [one for one in pairs if labels[one[0]] != labels[one[1]]]
    expected: dict[str, Any] = {
        "triplets": [one for one in greedy(triplets, violation) if one[1] > 0],
        "positives": greedy(alike, distance.__getitem__),
        "negatives": [(one, -far) for one, far in greedy(apart, lambda one: -distance[one])],
    }
    for kind, due in expected.items():
        own = getattr(found, kind)
        assert [one.samples for one in own] == [one for one, _ in due], kind
        assert [one.value for one in own] == pytest.approx([far for _, far in due], abs=1e-5)
        assert len(own) > 5


def test_arms_whose_spaces_have_another_scale_or_place_are_measured_alike() -> None:
    points, labels = drawn()
    one, two = hardest_tuples(points, labels), hardest_tuples(100 * points + 1000, labels)
    assert two.mean_distance == pytest.approx(100 * one.mean_distance)
    for ours, theirs in zip(one.triplets, two.triplets, strict=True):
        assert ours.samples == theirs.samples
        assert ours.value == pytest.approx(theirs.value, abs=1e-4)


def test_what_is_separated_has_no_violated_triplet_and_one_point_no_tuple() -> None:
    labels = np.array([0, 0, 1, 1])
    apart = hardest_tuples(np.array([[0.0], [0.1], [5], [5.1]]), labels)
    assert apart.triplets == []
    assert len(apart.positives) == len(apart.negatives) == 2
    collapsed = hardest_tuples(np.ones((4, 3)), labels)
    assert collapsed == (4, 0.0, [], [], [])
    alone = hardest_tuples(np.eye(3), np.array([0, 0, 0]))
    assert (alone.triplets, alone.negatives) == ([], [])


def test_of_many_samples_an_even_share_is_looked_at_under_their_own_numbers() -> None:
    n = 2 * MOST_SAMPLES
    points, labels = np.zeros((n, 1), dtype=np.float32), np.zeros(n, dtype=np.int_)
    points[-1] = 7
    found = hardest_tuples(points, labels)
    assert found.among == MOST_SAMPLES
    assert n - 1 in found.positives[0].samples


def test_a_label_is_suspect_if_all_arms_have_the_same_majority_for_another_class() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1, 2])
    zero, one = [1, 2, 3], [5, 6, 7]
    mostly = [5, 6, 0]
    own = [zero, [0, 2, 3], [0, 1, 3], mostly, [5, 6, 7], one, [4, 5, 7], [4, 5, 6], [4, 5, 6]]
    first = [*own[:1], one, *own[2:]]  # only this arm places sample 1 among class 1
    second = [*own[:3], one, *own[4:]]
    found = suspects([first, second], labels)
    assert [(each.sample, each.suggested) for each in found] == [(8, 1), (3, 1)]
    assert [each.share for each in found] == pytest.approx([1, (2 / 3 + 1) / 2])
    half = [*own[:3], [5, 6, 0, 1], *own[4:]]
    assert [each.sample for each in suspects([half], labels)] == [8], "half is no majority"
    other = [*own[:3], [8, 8, 8], *own[4:]]
    assert [each.sample for each in suspects([second, other], labels)] == [8], "not one class"
