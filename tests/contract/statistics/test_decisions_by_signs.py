"""Samples of which only signs count: whole numbers and censored values."""

import numpy as np
import pytest
from scipy import stats

from contract.statistics import JudgedSample, Replication, Sample, judge


def by_signs(
    differences: list[float], family: int = 9, replication: Replication | None = None
) -> JudgedSample:
    others = [[Sample((0.0,), expected="greater")]] * (family - 1)
    sample = Sample(tuple(differences), expected="greater", signs_only=True)
    return judge([[sample], *others], replication)[0].samples[0]


def test_the_exact_sign_test_drops_ties() -> None:
    found = by_signs([3, 1, -2, 4, 0, 1, 7, 0, 2, 5])
    p = stats.binomtest(7, 8).pvalue
    assert (found.p, found.p_holm) == pytest.approx((p, 9 * p))
    assert (found.n, found.mean, found.smallest_p) == (10, 2.1, 2 / 2**8)
    assert (found.interval, found.simultaneous, found.effect_size) == (None, None, None)


def test_nine_of_one_sign_decide_among_nine_claims_and_eight_lean() -> None:
    nine, eight = by_signs([2.0] * 8 + [5.0]), by_signs([2.0] * 7 + [5.0])
    assert (nine.word, nine.p_holm, nine.can_reach) == ("supported", 18 / 512, True)
    assert (eight.word, eight.p_holm, eight.can_reach) == ("leaning_for", 18 / 256, False)
    assert by_signs([-2.0] * 9).word == "contradicted"
    assert by_signs([-2.0] * 8).word == "leaning_against"
    # Five pairs cannot get below 0.0625, and six alone can.
    assert by_signs([1.0] * 5).word == by_signs([1.0] * 5, family=1).word == "undecided"
    assert (by_signs([1.0] * 6).word, by_signs([1.0] * 6, family=1).word) == (
        "leaning_for",
        "supported",
    )


def test_how_large_a_difference_is_does_not_count() -> None:
    assert by_signs([1000.0, -1.0, -1.0]).p == by_signs([1.0, -9.0, -9.0]).p == 1.0


def test_numbers_of_numpy_count_as_others_do() -> None:
    assert by_signs(list(np.array([2.0] * 7 + [5.0]))).word == "leaning_for"


def test_the_same_value_in_all_pairs_decides_nothing() -> None:
    found = by_signs([0.0] * 20, family=1)
    assert (found.word, found.p, found.smallest_p) == ("undecided", 1.0, 1.0)
    assert not found.can_reach


def test_two_pairs_decide_nothing() -> None:
    assert by_signs([1.0, 1.0], family=1).word == "undecided"


def test_signs_of_dependent_splits_lean_at_most() -> None:
    splits = Replication("split", 1 / 3)
    found = by_signs([1.0] * 20, 1, splits)
    assert (found.word, found.can_reach) == ("leaning_for", False)
    # Nor do they make another claim's adjustment smaller.
    signs = Sample((1.0,) * 20, expected="greater", signs_only=True)
    other = Sample((1.0, 2.0, 3.0), expected="greater")
    beside, alone = judge([[signs], [other]], splits)[1], judge([[other]], splits)[0]
    assert alone.p is not None
    assert beside.p_holm == 2 * alone.p
