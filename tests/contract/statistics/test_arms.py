"""All arms by one metric: the family of all pairs, against scipy."""

import math

import numpy as np
import pytest
from scipy import stats

from contract.statistics import Replication, SampleError, compare, holm, told_apart


def arms(n: int, *means: float, seed: int = 1, sd: float = 1.0) -> dict[str, dict[int, float]]:
    draw = np.random.default_rng(seed)
    return {
        f"arm {i}": dict(enumerate((mean + sd * draw.standard_normal(n)).tolist()))
        for i, mean in enumerate(means)
    }


@pytest.mark.parametrize("n", [4, 12])
def test_the_pairs_of_four_arms_are_one_family(n: int) -> None:
    values = arms(n, 0.0, 0.2, 3.0, 8.0)
    found = told_apart(values)
    lists = [list(of_arm.values()) for of_arm in values.values()]
    expected = []
    for pair in found.pairs:
        a, b = (list(values[arm].values()) for arm in (pair.a, pair.b))
        p = stats.ttest_rel(a, b).pvalue
        # Six pairs times 2/2^4 is above .05, times 2/2^12 below: only then do signs count.
        expected.append(p if n == 4 else max(p, compare(a, b).p_value))
        low, high = stats.ttest_rel(a, b).confidence_interval(1 - 0.05 / 6)
        assert pair.interval == pytest.approx((low, high))
    assert [pair.p for pair in found.pairs] == pytest.approx(expected)
    assert [pair.p_holm for pair in found.pairs] == pytest.approx(holm(expected))
    assert [pair.told_apart for pair in found.pairs] == [p < 0.05 for p in holm(expected)]
    assert {pair.told_apart for pair in found.pairs} == {True, False}
    for (arm, summary), own in zip(found.arms.items(), lists, strict=True):
        assert summary.mean == pytest.approx(np.mean(own))
        assert summary.interval == pytest.approx(
            stats.t.interval(1 - 0.05 / 4, n - 1, np.mean(own), stats.sem(own))
        ), arm


def test_which_arm_is_greater_and_which_are_not_told_apart() -> None:
    found = told_apart(arms(10, 0.0, 0.1, 9.0))
    assert [(pair.a, pair.b, pair.greater) for pair in found.pairs] == [
        ("arm 0", "arm 1", None),
        ("arm 0", "arm 2", "arm 2"),
        ("arm 1", "arm 2", "arm 2"),
    ]
    assert found.not_told_apart_from("arm 0") == ["arm 1"]
    assert found.not_told_apart_from("arm 2") == []


def test_arms_are_paired_over_the_seeds_that_both_have() -> None:
    values = {
        "a": {1: 0.5, 2: 0.6, 3: 0.7, 4: 0.9},
        "b": {4: 0.8, 3: 0.5, 2: 0.5, 9: 0.1},
        "c": {7: 0.2},
        "d": {},
    }
    found = told_apart(values, bounds=(0, 1))
    assert list(found.arms) == ["a", "b", "c"]
    assert [(pair.a, pair.b, pair.n) for pair in found.pairs] == [("a", "b", 3)]
    assert found.pairs[0].mean_difference == pytest.approx((0.1 + 0.2 + 0.1) / 3)
    assert found.arms["b"].interval == pytest.approx((0, 1))
    assert (found.arms["c"].interval, found.arms["c"].sd) == (None, None)
    assert found.not_told_apart_from("a") == ["b", "c"]
    assert told_apart({}).pairs == told_apart({"a": {1: 0.5}}).pairs == []


def test_two_common_seeds_tell_nothing_apart() -> None:
    found = told_apart({"a": {1: 0.0, 2: 0.1}, "b": {1: 90.0, 2: 90.2}})
    assert not found.pairs[0].told_apart
    assert (found.pairs[0].interval, found.arms["a"].interval) == (None, None)


def test_pairs_of_two_common_seeds_are_no_part_of_the_family() -> None:
    two = {"a": {1: 0.1, 2: 0.2, 3: 0.15}, "b": {1: 0.5, 2: 0.61, 3: 0.54}}
    [alone] = told_apart(two).pairs
    first, *others = told_apart({**two, "c": {1: 0.3, 2: 0.2}}).pairs
    assert first == alone
    assert alone.p_holm == alone.p < 0.05
    assert [(pair.n, pair.p, pair.p_holm, pair.told_apart) for pair in others] == [
        (2, 1.0, 1.0, False)
    ] * 2


def test_signs_and_differences_without_spread() -> None:
    whole = {"a": dict.fromkeys(range(8), 3.0), "b": {i: 5.0 + i for i in range(8)}}
    by_signs = told_apart(whole, signs_only=True)
    assert (by_signs.pairs[0].p, by_signs.pairs[0].told_apart) == (2 / 2**8, True)
    assert (by_signs.pairs[0].interval, by_signs.arms["b"].interval) == (None, None)
    splits = Replication("split", 0.5)
    assert not told_apart(whole, splits, signs_only=True).pairs[0].told_apart
    same = {"a": {1: 0.5, 2: 0.6, 3: 0.7}, "b": {1: 0.3, 2: 0.4, 3: 0.5}}
    assert (told_apart(same).pairs[0].p, told_apart(same).pairs[0].interval) == (0.25, None)
    equal = [{arm: dict.fromkeys(range(n), 0.9) for arm in "ab"} for n in (5, 6)]
    assert [told_apart(one).pairs[0].interval for one in equal] == [None, (0.0, 0.0)]


def test_dependent_splits_widen_everything() -> None:
    values = arms(10, 0.0, 2.0)
    splits = Replication("split", 1 / 3)
    found, independent = told_apart(values, splits), told_apart(values)
    a, b = (np.array(list(of_arm.values())) for of_arm in values.values())
    t = (a - b).mean() / ((a - b).std(ddof=1) * math.sqrt(1 / 10 + 1 / 3))
    assert found.pairs[0].p == pytest.approx(2 * stats.t.sf(abs(t), 9))
    for narrow, wide in zip(independent.arms.values(), found.arms.values(), strict=True):
        assert narrow.interval is not None
        assert wide.interval is not None
        ratio = (wide.interval[1] - wide.mean) / (narrow.interval[1] - narrow.mean)
        assert ratio == pytest.approx(math.sqrt(1 + 10 / 3))


def test_a_value_that_is_not_finite_is_named() -> None:
    with pytest.raises(SampleError, match="values of b must be finite; got nan at index 1"):
        told_apart({"a": {1: 0.5}, "b": {1: 0.5, 2: math.nan}})
