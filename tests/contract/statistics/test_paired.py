"""Paired differences, against scipy."""

import math
import random

import numpy as np
import pytest
from scipy import stats

from contract.statistics import SampleError, compare


def sample(n: int, seed: int, effect: float = 0.3) -> tuple[list[float], list[float]]:
    draw = random.Random(seed)
    b = [draw.gauss(0, 1) for _ in range(n)]
    return [x + draw.gauss(effect, 0.8) for x in b], b


@pytest.mark.parametrize("n", [2, 3, 5, 8, 12, 13, 40])
def test_the_interval_of_a_difference_is_that_of_the_paired_t_test(n: int) -> None:
    a, b = sample(n, seed=n)
    found = compare(a, b)
    expected = stats.ttest_rel(a, b).confidence_interval(0.95)
    assert found.interval == pytest.approx((expected.low, expected.high))
    assert found.mean_difference == pytest.approx(np.mean(a) - np.mean(b))
    assert found.n == n


def test_hedges_g_av_by_hand() -> None:
    # sds 1 and 2, means 4 and 2, n = 3: 2 / sqrt((1 + 4) / 2) = 1.264911, times 1 - 3/15 = 0.8.
    found = compare([3.0, 4.0, 5.0], [0.0, 2.0, 4.0])
    assert found.effect_size == pytest.approx(1.0119288512538815)
    # The pairing does not matter: another order of the seeds gives the same size.
    assert compare([5.0, 3.0, 4.0], [0.0, 2.0, 4.0]).effect_size == found.effect_size


def test_one_pair_gives_no_interval() -> None:
    found = compare([0.9], [0.2])
    assert (found.interval, found.p_value, found.smallest_p) == (None, 1.0, 1.0)
    assert (found.effect_size, found.n) == (None, 1)
    assert found.mean_difference == pytest.approx(0.7)


def test_arms_without_spread() -> None:
    found = compare([0.7, 0.7, 0.7], [0.5, 0.5, 0.5])
    difference = 0.7 - 0.5
    assert found.interval == (difference, difference)
    assert found.effect_size is None
    nearly = compare([0.1 + 0.2, 0.3, 0.3], [0.1, 0.1, 0.1])  # equal except for rounding
    assert nearly.effect_size is None
    shifted = compare([0.7, 0.8, 0.9], [0.5, 0.6, 0.7])
    assert shifted.interval == pytest.approx((0.2, 0.2))
    assert shifted.effect_size == pytest.approx((1 - 3 / 15) * 0.2 / 0.1)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([1.0, 2.0], [1.0], "values_a and values_b .* got 2 and 1"),
        ([], [], "values_a must have at least one value; got none"),
        ([1.0], [], "values_b must have at least one value"),
        ([1.0, math.nan], [1.0, 2.0], "values_a must be finite; got nan at index 1"),
        ([1.0, 2.0], [-math.inf, 2.0], "values_b must be finite; got -inf at index 0"),
        ([1.0], ["x"], r"values_b must be a sequence of numbers; got \['x'\]"),
        ([[1.0, 2.0]], [1.0], r"values_a must be a sequence of numbers; got \[\[1.0, 2.0\]\]"),
        (3, [1.0], "values_a must be a sequence of numbers; got 3"),
    ],
)
def test_values_that_cannot_be_compared_are_named(
    a: list[float], b: list[float], said: str
) -> None:
    with pytest.raises(SampleError, match=said):
        compare(a, b)
    assert issubclass(SampleError, ValueError)


@pytest.mark.parametrize("n", [2, 5])
def test_the_interval_covers_the_true_difference_95_times_in_100(n: int) -> None:
    draw = random.Random(7)
    samples, true = 4000, 0.25
    covered = 0
    for _ in range(samples):
        a = [draw.gauss(1.0 + true, 0.5) for _ in range(n)]
        b = [draw.gauss(1.0, 0.2) for _ in range(n)]
        found = compare(a, b).interval
        assert found is not None
        covered += found[0] <= true <= found[1]
    low, high = stats.binom.interval(0.9999, samples, 0.95)
    assert low <= covered <= high
