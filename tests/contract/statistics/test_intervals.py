"""Intervals of means, also of dependent splits, and what would narrow them."""

import math

import pytest
from scipy import stats

from contract.statistics import bounded_interval, deviation, interval, replicates_to_halve
from contract.statistics.intervals import mean_interval, narrowest_half_width, t_test_p

A = [0.81, 0.84, 0.79, 0.88, 0.83]


def test_the_interval_is_that_of_students_t() -> None:
    sem = stats.sem(A)
    expected = stats.t.interval(0.95, len(A) - 1, loc=sum(A) / len(A), scale=sem)
    assert interval(A) == pytest.approx(expected)
    assert interval([0.5]) is None
    assert interval([0.5, 0.5]) == (0.5, 0.5)


def test_an_interval_to_show_needs_three_values_and_stays_where_values_can_be() -> None:
    assert interval([0.9, 0.96]) == pytest.approx((0.549, 1.311), abs=0.001)
    assert bounded_interval([0.9, 0.96], (0, 1)) is None
    low, high = bounded_interval([0.9, 0.96, 1.0], (0, 1)) or (0, 0)
    assert high == 1.0
    assert low == pytest.approx(0.828, abs=0.001)
    assert bounded_interval([0.9, 0.96, 1.0]) == interval([0.9, 0.96, 1.0])
    assert bounded_interval([-0.2, 0.0, 0.4], (0, None)) == (0, interval([-0.2, 0.0, 0.4])[1])  # type: ignore[index]


@pytest.mark.parametrize("family", [1, 3, 9])
def test_intervals_of_a_family_are_bonferronis(family: int) -> None:
    expected = stats.t.interval(
        1 - 0.05 / family, len(A) - 1, loc=sum(A) / len(A), scale=stats.sem(A)
    )
    assert mean_interval(A, family=family) == pytest.approx(expected)
    assert bounded_interval(A, family=family) == pytest.approx(expected)


def test_the_variance_of_dependent_splits_by_hand() -> None:
    # Mean 2, sd 1: 1 x (1/3 + 1/4) = 7/12; t at 0.975 with 2 degrees is 4.302653.
    half = 4.302653 * math.sqrt(7 / 12)
    values = [1.0, 2.0, 3.0]
    assert mean_interval(values, test_to_train=1 / 4) == pytest.approx((2 - half, 2 + half))
    assert bounded_interval(values, (0, 5), test_to_train=1 / 4) == (0, 5)
    assert t_test_p(values, 1 / 4) == pytest.approx(2 * stats.t.sf(2 / math.sqrt(7 / 12), 2))
    # No number of re-splits gets below 1.959964 x 1 x sqrt(1/4).
    assert narrowest_half_width(values, 1 / 4) == pytest.approx(1.959964 / 2)
    assert narrowest_half_width(values, 1 / 4, family=5) == pytest.approx(2.575829 / 2)
    assert narrowest_half_width([1.0], 1 / 4) is None
    _, high = mean_interval([1.0, -1.0] * 50_000, test_to_train=1 / 4) or (0, 0)
    assert high == pytest.approx(1.959964 / 2, rel=1e-4)
    _, high = mean_interval([1.0, -1.0] * 50_000) or (0, 0)
    assert high < 0.01


def test_the_t_test_is_scipys() -> None:
    assert t_test_p(A) == pytest.approx(stats.ttest_1samp(A, 0).pvalue)
    centred = [value - 0.82 for value in A]
    assert t_test_p(centred) == pytest.approx(stats.ttest_1samp(centred, 0).pvalue)
    assert (t_test_p([0.0, 0.0]), t_test_p([0.3, 0.3])) == (1.0, 0.0)


@pytest.mark.parametrize("family", [1, 9])
@pytest.mark.parametrize("n", [3, 5, 10, 20])
def test_so_many_more_replicates_halve_an_interval_and_one_less_does_not(
    n: int, family: int
) -> None:
    def half_width(replicates: int) -> float:
        t = float(stats.t.ppf(1 - 0.05 / (2 * family), replicates - 1))
        return t / math.sqrt(replicates)

    more = replicates_to_halve(n, family)
    assert half_width(n + more) <= half_width(n) / 2 < half_width(n + more - 1)


def test_halving_by_hand() -> None:
    # Three: 4.303 / sqrt(3) = 2.484. Five: 2.776 / sqrt(5) = 1.2416 is just below half of it.
    assert replicates_to_halve(3) == 2
    # With very many the quantile stays, and four times as many are needed.
    assert replicates_to_halve(5000) == pytest.approx(15_000, rel=0.001)


def test_a_deviation_needs_two_values() -> None:
    assert deviation([0.5]) is None
    assert deviation([1.0, 3.0]) == pytest.approx(math.sqrt(2))
