"""The sign-flip test, the sign test and Holm's method, against scipy and against slow loops."""

import itertools
import math
import random
import statistics
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from contract.statistics import compare, holm, sign_test_p, smallest_p


def sample(n: int, seed: int, effect: float = 0.3) -> tuple[list[float], list[float]]:
    draw = random.Random(seed)
    b = [draw.gauss(0, 1) for _ in range(n)]
    return [x + draw.gauss(effect, 0.8) for x in b], b


def every_flip(differences: Sequence[float]) -> float:
    """Return the share of all 2^n sign patterns with a mean at least as far from 0, in integers."""
    exact = [round(d * 1000) for d in differences]
    observed = abs(sum(exact))
    flips = list(itertools.product((-1, 1), repeat=len(exact)))
    hits = sum(
        abs(sum(s * d for s, d in zip(signs, exact, strict=True))) >= observed for signs in flips
    )
    return hits / len(flips)


@pytest.mark.parametrize("n", [2, 3, 5, 8, 11])
def test_the_p_value_is_scipys_permutation_test(n: int) -> None:
    a, b = sample(n, seed=10 + n, effect=1.0)
    expected = stats.permutation_test(
        (a, b),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert compare(a, b).p_value == pytest.approx(expected.pvalue, abs=1e-12)


@pytest.mark.parametrize("n", range(1, 13))
def test_the_p_value_counts_every_pattern_of_signs(n: int) -> None:
    # Multiples of 0.001, among which many sums tie: rounding must not separate equal ones.
    draw = random.Random(n)
    differences = [draw.choice([-0.1, 0.1, 0.2, 0.3, 0.7, 0.0]) for _ in range(n)]
    thousandths = [round(d * 1000) / 1000 for d in differences]
    assert compare(thousandths, [0.0] * n).p_value == every_flip(thousandths)


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_differences_of_one_sign_reach_the_smallest_p(n: int) -> None:
    values = [1.0 + seed for seed in range(n)]
    found = compare(values, [0.0] * n)
    assert found.p_value == found.smallest_p == smallest_p(n) == 2 / 2**n
    assert compare([0.0] * n, [0.0] * n).p_value == 1.0


def test_five_seeds_never_reach_five_per_cent() -> None:
    assert smallest_p(5) == 0.0625


def test_beyond_twelve_seeds_the_same_flips_are_drawn_every_time() -> None:
    a, b = sample(14, seed=3, effect=0.6)
    found = compare(a, b).p_value
    differences = np.array(a) - np.array(b)
    signs = np.array(list(itertools.product((-1, 1), repeat=14)))
    exact = float(np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12))
    assert 0.001 < exact < 0.5
    assert found == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000))
    assert compare(list(reversed(a)), list(reversed(b))).p_value == pytest.approx(found, rel=0.2)
    assert compare(a, b).p_value == found
    assert compare([1.0] * 40, [0.0] * 40).p_value == smallest_p(40) == 1 / 20_001


def test_holm_by_hand() -> None:
    # 0.01 x 4, 0.02 x 3, 0.03 x 2 = 0.06 again, 0.6 x 1.
    assert holm([0.03, 0.01, 0.6, 0.02]) == pytest.approx([0.06, 0.04, 0.6, 0.06])
    assert holm([0.4, 0.4, 0.4]) == [1.0, 1.0, 1.0]
    assert holm([]) == []
    assert holm([0.2]) == [0.2]


@pytest.mark.parametrize("seed", range(20))
def test_holm_rejects_what_the_step_down_procedure_rejects(seed: int) -> None:
    draw = random.Random(seed)
    p_values = [draw.choice([draw.random() / 50, draw.random(), 0.0625]) for _ in range(13)]
    adjusted = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    for alpha in (0.01, 0.05, 0.2, 0.5):
        rejected = set[int]()
        for rank, index in enumerate(sorted(range(13), key=lambda i: p_values[i])):
            if p_values[index] * (13 - rank) > alpha:
                break
            rejected.add(index)
        assert {i for i, p in enumerate(adjusted) if p <= alpha} == rejected


def test_the_p_value_is_below_alpha_no_more_often_than_alpha() -> None:
    draw = random.Random(11)
    found = [compare([draw.gauss(0, 1) for _ in range(7)], [0.0] * 7).p_value for _ in range(3000)]
    for alpha in (1 / 64, 0.05, 0.25):
        most = stats.binom.ppf(0.9999, len(found), alpha)
        assert sum(p <= alpha for p in found) <= most
    assert statistics.fmean(found) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("n", [0, 1, 2, 5, 9, 20, 40])
def test_the_sign_test_is_scipys_binomial_test(n: int) -> None:
    for positive in range(n + 1):
        expected = stats.binomtest(positive, n).pvalue if n else 1.0
        assert sign_test_p(positive, n - positive) == pytest.approx(expected, rel=1e-12)
