"""The expected best of n trials against all choices of n trials."""

from itertools import combinations
from statistics import fmean

import numpy as np
import pytest

from backend.tuning.curve import HIGH, LOW, Point, expected_best, running_best

SCORES = {
    "distinct": [0.3, 0.9, 0.1, 0.55, 0.7, 0.2, 0.65],
    "ties": [0.5, 0.5, 0.2, 0.9, 0.9, 0.2],
    "negative": [-3.0, -1.0, -2.0, -7.5],
    "one": [0.4],
    "twelve": [float(x) for x in np.random.default_rng(0).normal(size=12)],
}


@pytest.mark.parametrize("scores", SCORES.values(), ids=list(SCORES))
def test_it_is_the_mean_and_the_quantiles_over_all_subsets(scores: list[float]) -> None:
    points = expected_best(scores)
    assert [point.n for point in points] == list(range(1, len(scores) + 1))
    for n, value, low, high in points:
        best = sorted(max(chosen) for chosen in combinations(scores, n))
        assert value == pytest.approx(fmean(best), abs=1e-12)
        assert low == _quantile(best, LOW)
        assert high == _quantile(best, HIGH)


def _quantile(ordered: list[float], share: float) -> float:
    """Return the smallest value that at least this share of the values does not exceed."""
    at = next(i for i in range(1, len(ordered) + 1) if i >= share * len(ordered) - 1e-9)
    return ordered[at - 1]


def test_the_ends_are_the_mean_and_the_best_also_of_many_trials() -> None:
    scores = [float(x) for x in np.random.default_rng(1).random(500)]
    points = expected_best(scores)
    assert points[0].value == pytest.approx(fmean(scores))
    assert points[-1] == Point(500, max(scores), max(scores), max(scores))
    values = [point.value for point in points]
    assert values == sorted(values)


def test_the_running_best_begins_with_the_first_trial_that_has_a_value() -> None:
    found = running_best([None, 0.2, 0.1, None, 0.4])
    assert [(point.n, point.value) for point in found] == [(2, 0.2), (3, 0.2), (4, 0.2), (5, 0.4)]
    assert {point.low for point in found} == {None}
    assert running_best([None]) == []
    assert expected_best([]) == []
