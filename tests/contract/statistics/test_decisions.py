"""Each rule of a sample's decision on its edge, the word of a claim, and the family."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from scipy import stats

from contract.statistics import JudgedSample, Replication, Sample, SampleError, common_word, judge

TEN = (0.020, 0.025, 0.030, 0.022, 0.028, 0.020, 0.024, 0.021, 0.026, 0.031)
HAND = (0.0, 1.0, 1.0, 2.0)
"""Mean 1, sd 0.81650; t at 0.975 with 3 degrees is 3.18245: 1 - 1.29923 to 1 + 1.29923."""

SPLITS = Replication("split", 1 / 3)
"""Re-splits with one test item for three training items."""


def one(sample: Sample, family: int = 1, replication: Replication | None = None) -> JudgedSample:
    """Judge a sample as the only one of its claim, beside claims that show nothing."""
    others = [[Sample((0.0,), expected="greater")]] * (family - 1)
    return judge([[sample], *others], replication)[0].samples[0]


def greater(differences: Sequence[float], *, half_width: float | None = None) -> Sample:
    return Sample(tuple(differences), expected="greater", half_width=half_width)


def test_fewer_than_three_pairs_decide_nothing() -> None:
    nothing = one(greater([]))
    assert (nothing.word, nothing.n, nothing.mean, nothing.p) == ("not_measured", 0, None, None)
    two = one(greater([5.0, 5.1], half_width=9.0))
    assert (two.word, two.n, two.interval, two.simultaneous) == ("undecided", 2, None, None)
    assert two.mean == pytest.approx(5.05)
    assert two.replicates_to_halve is None
    assert one(greater([5.0, 5.1, 5.2])).word == "supported"
    assert one(greater([0.1, -0.1, 0.0], half_width=9.0)).word == "level"


def test_level_is_an_interval_inside_the_bounds() -> None:
    wide, narrow = one(greater(HAND, half_width=2.2993)), one(greater(HAND, half_width=2.2992))
    assert wide.interval == pytest.approx((-0.29923, 2.29923), abs=1e-5)
    assert (wide.word, wide.level_side, wide.bounds) == ("level", None, (-2.2993, 2.2993))
    assert narrow.word == "undecided"
    assert one(greater([-d for d in HAND], half_width=2.2993)).word == "level"
    assert one(greater([-d for d in HAND], half_width=2.2992)).word == "undecided"
    assert one(greater(HAND)).word == "undecided"


@pytest.mark.parametrize("seed", range(30))
def test_level_is_what_two_one_sided_tests_say(seed: int) -> None:
    draw = random.Random(seed)
    family, half = draw.choice([1, 4, 9]), 0.01
    differences = [draw.gauss(0.003, 0.006) for _ in range(draw.choice([5, 10, 20]))]
    above = stats.ttest_1samp(differences, -half, alternative="greater").pvalue
    below = stats.ttest_1samp(differences, half, alternative="less").pvalue
    found = one(greater(differences, half_width=half), family)
    assert (found.word == "level") == (max(above, below) < 0.05 / (2 * family))


def test_level_says_the_side_if_the_arms_differ_all_the_same() -> None:
    assert one(greater(TEN, half_width=0.05)).level_side == "greater"
    less = one(greater([-d for d in TEN], half_width=0.05))
    assert (less.word, less.level_side) == ("level", "less")


def test_a_decision_needs_the_simultaneous_interval() -> None:
    # Alone t is 4.303 at 0.975, among nine it is 13.4 at 1 - 0.05/18: 7 +- 2.48 and 7 +- 7.74.
    clear = one(greater([6.0, 7.0, 8.0]))
    assert (clear.word, clear.simultaneous) == ("supported", clear.interval)
    among_nine = one(greater([6.0, 7.0, 8.0]), family=9)
    assert among_nine.word == "leaning_for"
    assert among_nine.interval == clear.interval == pytest.approx((4.516, 9.484), abs=0.001)
    assert among_nine.simultaneous == pytest.approx(
        stats.t.interval(1 - 0.05 / 9, 2, loc=7, scale=1 / math.sqrt(3))
    )
    opposite = Sample((6.0, 7.0, 8.0), expected="less")
    assert (one(opposite).word, one(opposite, 9).word) == ("contradicted", "leaning_against")


def test_from_nine_pairs_on_the_sign_flip_test_must_reject_too() -> None:
    # Eight of the same sign and one against: 4 of 512 patterns are as extreme, 9 x 4/512 = 0.07.
    eight = [1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.1, -0.2]
    before = one(greater(eight), family=9)
    assert (before.word, before.can_reach, before.smallest_p) == ("supported", False, 2 / 2**8)
    nine = one(greater([*eight, 0.9]), family=9)
    assert nine.simultaneous is not None
    assert nine.simultaneous[0] > 0
    assert (nine.p, nine.p_holm) == (4 / 512, 36 / 512)
    assert (nine.word, nine.can_reach) == ("leaning_for", True)
    assert one(greater([*eight[:-1], 0.2, 0.9]), family=9).word == "supported"


def test_holms_family_is_that_of_the_claims() -> None:
    # With three clear claims before it, 4/512 is multiplied by 6 only: 0.047.
    clear = [greater([1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.1, 1.0, 0.9])]
    nearly = [greater([1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.1, -0.2, 0.9])]
    others = [[Sample((0.0,), expected="greater")]] * 5
    judged = judge([clear, clear, clear, nearly, *others])
    assert judged[3].p_holm == pytest.approx(6 * 4 / 512)
    assert [claim.word for claim in judged[:4]] == ["supported"] * 4


def test_a_claim_has_the_largest_p_of_its_samples() -> None:
    certain, doubtful = greater(TEN), greater([*TEN[:7], -0.004, -0.003, -0.002])
    judged = judge([[certain, doubtful], [Sample((0.0,), expected="less")]])[0]
    p_values = [sample.p for sample in judged.samples]
    assert judged.p == max(p for p in p_values if p) > 2 / 2**10
    assert {sample.p_holm for sample in judged.samples} == {judged.p_holm}
    assert judged.p_holm == 2 * judged.p


def test_where_signs_cannot_reach_the_claim_counts_with_the_t_test() -> None:
    few = greater([1.0, 1.1, 0.9, 1.05])
    claim = judge([[few], *[[greater(TEN)]] * 8])[0]
    assert claim.samples[0].p == 2 / 2**4
    assert claim.p == pytest.approx(stats.ttest_1samp(few.differences, 0).pvalue)
    assert claim.word == "supported"
    # Both in one claim: the sample that can reach asks for the other's t-test too.
    doubtful = greater([1.0, 1.1, -0.9, 1.05])
    p = stats.ttest_1samp(doubtful.differences, 0).pvalue
    mixed = judge([[doubtful, greater(TEN)], *[[greater(TEN)]] * 8])[0]
    assert mixed.p == pytest.approx(p)
    assert [sample.word for sample in mixed.samples] == ["undecided", "leaning_for"]


def test_leaning_and_undecided() -> None:
    barely = [d - 1.0 + 1.29923 + 1e-4 for d in HAND]
    assert one(greater(barely), family=2).word == "leaning_for"
    assert one(greater([d - 2e-4 for d in barely]), family=2).word == "undecided"


def test_zeros_are_level_where_as_many_signs_could_decide() -> None:
    # Of values in steps, as accuracies of few items are, three pairs often coincide by chance.
    five = one(greater([0.0] * 5, half_width=0.01))
    assert (five.word, five.interval, five.p) == ("undecided", None, 1.0)
    assert (five.level_side, five.replicates_to_halve, five.can_reach) == (None, None, False)
    six = one(greater([0.0] * 6, half_width=0.01))
    assert (six.word, six.interval, six.simultaneous) == ("level", (0.0, 0.0), (0.0, 0.0))
    assert six.level_side is None
    assert one(greater([0.0] * 6)).word == "undecided"
    assert one(greater([0.0] * 8, half_width=0.01), 9).word == "undecided"
    assert one(greater([0.0] * 9, half_width=0.01), 9).word == "level"
    assert one(greater([0.0] * 9, half_width=0.01), 9, SPLITS).word == "undecided"


def test_differences_without_spread_are_judged_by_their_signs() -> None:
    same = one(greater([0.2] * 5, half_width=0.3))
    assert (same.word, same.interval, same.p) == ("undecided", None, 2 / 2**5)
    level = one(greater([0.2] * 6, half_width=0.3))
    assert (level.word, level.level_side, level.interval) == ("level", "greater", None)
    assert one(greater([0.2] * 6, half_width=0.2)).word == "supported"
    assert one(greater([0.2] * 6)).word == "supported"
    rounded = one(greater([0.9 - 0.7, 0.8 - 0.6, 0.3 - 0.1]))
    assert (rounded.word, rounded.simultaneous) == ("undecided", None)
    ratios = Sample((5.0,) * 6, expected="less", log_ratios=(0.1,) * 6, half_width=1.25)
    assert (one(ratios).word, one(ratios).level_side) == ("level", "greater")


def test_intervals_stay_where_differences_can_be() -> None:
    found = one(Sample((0.5, 0.9, 1.0), expected="greater", limits=(-1, 1)), family=9)
    assert found.interval is not None
    assert (found.interval[1], found.simultaneous) == (1, (-1, 1))


def test_ratios_are_level_between_a_factor_and_its_inverse() -> None:
    ratios = [1.1, 1.2, 1.15, 1.12, 1.18]
    low, high = stats.t.interval(0.95, 4, scale=stats.sem([math.log(r) for r in ratios]))
    middle = sum(math.log(r) for r in ratios) / 5
    sample = Sample(
        (10.0, 20.0, 15.0, 12.0, 18.0),
        expected="less",
        log_ratios=tuple(map(math.log, ratios)),
        half_width=1.25,
    )
    found = one(sample)
    assert (found.word, found.level_side, found.bounds) == ("level", "greater", None)
    assert found.ratio == pytest.approx(math.exp(middle))
    assert found.ratio_interval == pytest.approx(
        (math.exp(middle + low), math.exp(middle + high)), rel=1e-6
    )
    assert found.ratio_bounds == (0.8, 1.25)
    among_nine = one(sample, family=9)
    assert among_nine.ratio_simultaneous is not None
    assert among_nine.ratio_simultaneous[1] > 1.25 * 0.98
    huge = Sample((1.0, 2.0, 4.0), expected="less", log_ratios=(-600.0, 0.0, 600.0))
    ends = one(huge).ratio_interval
    assert ends is not None
    assert 0 <= ends[0] < ends[1] < math.inf
    beyond = Sample((1.0, 2.0, 4.0), expected="less", log_ratios=(900.0, 901.0, 900.5))
    assert math.isfinite(one(beyond).ratio or math.inf)


def test_half_as_wide() -> None:
    found = one(greater(TEN), family=9)
    more = found.replicates_to_halve
    assert more is not None
    t = [stats.t.ppf(1 - 0.05 / 18, n - 1) / math.sqrt(n) for n in (10, 10 + more, 9 + more)]
    assert t[1] <= t[0] / 2 < t[2]
    assert found.floor is None


def test_dependent_splits_by_hand() -> None:
    # Mean 2, sd 1, variance of the mean 1/3 + 1/3: t = 2 / 0.8165 = 2.449, 4.303 x 0.8165 = 3.513.
    found = one(greater([1.0, 2.0, 3.0], half_width=6), 1, SPLITS)
    assert found.interval == found.simultaneous == pytest.approx((-1.513, 5.513), abs=0.001)
    assert found.p == found.p_holm == pytest.approx(2 * stats.t.sf(math.sqrt(6), 2))
    assert (found.word, found.can_reach, found.smallest_p) == ("level", True, 0.0)
    assert found.replicates_to_halve is None
    assert found.floor == pytest.approx(1.959964 * math.sqrt(1 / 3))
    assert one(greater([1.0, 2.0, 3.0], half_width=5.5), 1, SPLITS).word == "undecided"
    # Many splits of one sign: the sign-flip test would be sure of what the correction is not.
    many = [0.1, 1.0, 2.0, 1.2, 0.8, 1.1, 0.2, 0.3, 2.1, 1.2]
    assert one(greater(many), 9).word == "supported"
    assert one(greater(many), 9, SPLITS).word == "undecided"
    assert one(greater([10.0 + d for d in many]), 9, SPLITS).word == "supported"
    # New draws of synthetic data are independent.
    assert one(greater(many), 9, Replication("split")) == one(greater(many), 9)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], "not_measured"),
        (["not_measured"], "not_measured"),
        (["supported", "not_measured"], "supported"),
        (["supported", "leaning_for"], "leaning_for"),
        (["leaning_against", "contradicted"], "leaning_against"),
        (["level", "level"], "level"),
        (["level", "supported"], "undecided"),
        (["level_for", "level"], "level"),
        (["level_for", "level_against"], "level"),
        (["level_for", "supported"], "leaning_for"),
        (["level_against", "contradicted", "not_measured"], "leaning_against"),
        (["level_against", "supported"], "undecided"),
        (["level_for", "level", "supported"], "undecided"),
        (["leaning_for", "leaning_against"], "undecided"),
        (["supported", "leaning_for", "undecided"], "undecided"),
        (["supported", "contradicted"], "undecided"),
    ],
)
def test_the_word_of_a_claim(words: list[str], expected: str) -> None:
    assert common_word(words) == expected  # type: ignore[arg-type]


def test_a_claim_leans_where_one_part_is_level_on_the_side_of_the_other() -> None:
    steady = [0.1 + 0.01 * (i % 3) for i in range(10)]
    parts = [Sample(tuple(steady), expected="greater", half_width=width) for width in (1.0, 0.01)]
    [claim] = judge([parts])
    assert [sample.word for sample in claim.samples] == ["level", "supported"]
    assert claim.samples[0].level_side == "greater"
    assert claim.word == "leaning_for"
    against = [replace(part, expected="less") for part in parts]
    assert judge([against])[0].word == "leaning_against"


def test_what_was_not_measured_is_no_part_of_the_family_nor_of_the_word() -> None:
    nothing = Sample((), expected="less")
    first, second = judge([[nothing, nothing], [greater(TEN), nothing]])
    assert (first.word, first.p, first.p_holm) == ("not_measured", None, None)
    assert (second.word, second.p) == ("supported", second.p_holm)
    assert [sample.word for sample in second.samples] == ["supported", "not_measured"]
    assert judge([]) == []


def test_wrong_samples_are_named() -> None:
    with pytest.raises(SampleError, match=r"half_width must be more than 1; got 0\.5"):
        one(Sample((0.1,), expected="less", log_ratios=(0.1,), half_width=0.5))
    with pytest.raises(SampleError, match="half_width must be more than 0; got 0"):
        one(Sample((0.1,), expected="less", half_width=0))
    with pytest.raises(SampleError, match="log_ratios must be as many as differences, 1; got 2"):
        one(Sample((0.1,), expected="less", log_ratios=(0.1, 0.2)))
    with pytest.raises(SampleError, match="values of b must be as many as differences, 1; got 0"):
        one(Sample((0.1,), expected="less", values=((0.1,), ())))
    with pytest.raises(SampleError, match="differences must be finite; got nan at index 1"):
        one(greater([0.1, math.nan]))
    with pytest.raises(SampleError, match="test_to_train must be 0 or more; got -1"):
        one(greater([0.1]), 1, Replication("split", -1))
