"""The family-wise error of the verdict's rules, simulated in short: the promise of 5 % is kept."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks import simulated_claims as simulated
from benchmarks.error_rates import DIRECTED, TEST_TO_TRAIN
from benchmarks.simulated_claims import AS_OURS, NORMAL, ONE_EACH, SOURCES, Family, Share, Source
from contract.statistics import Sample, Word, judge

COMPARISONS = 1500
MOST = 0.05 + 3 * Share(0.05, COMPARISONS).error
"""The promise and three standard errors of the simulation."""


def decided(
    differences: simulated.Array, family: Family, words: Sequence[Word], **settings: Any
) -> Share:
    return Share.of(simulated.are_decided(differences, family, words, **settings))


def drawn(n: int) -> np.random.Generator:
    return np.random.default_rng([n, 17])


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
@pytest.mark.parametrize("n", [3, 5, 10, 20])
def test_nine_claims_without_a_difference(source: Source, n: int) -> None:
    for family in (AS_OURS, ONE_EACH):
        differences = simulated.no_difference(drawn(n), family, source, COMPARISONS, n)
        signs = simulated.signs_of(family, source)
        share = decided(differences, family, DIRECTED, signs=signs)
        assert share.share <= MOST, family.name


@pytest.mark.parametrize("n", [3, 10])
def test_the_simulation_would_see_a_broken_promise(n: int) -> None:
    differences = simulated.no_difference(drawn(n), ONE_EACH, NORMAL, COMPARISONS, n)
    signs = simulated.signs_of(ONE_EACH, NORMAL)
    assert simulated.leaning(differences, ONE_EACH, signs).share > 0.2
    alone = Family("each in a family of its own", (1,), 1)
    single = [decided(differences[..., [i]], alone, DIRECTED).share for i in (0, 1, 2, 3, 5)]
    assert sum(single) / 5 == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("source", [*SOURCES[:3], simulated.COARSE], ids=lambda source: source.name)
@pytest.mark.parametrize("n", [3, 10])
def test_differences_on_the_practical_bound_are_not_level(source: Source, n: int) -> None:
    words: tuple[Word, ...] = ("level", "contradicted")
    differences = simulated.on_the_bound(drawn(n), ONE_EACH, source, COMPARISONS, n)
    share = decided(differences, ONE_EACH, words, half_width=1.0)
    assert share.share <= MOST
    if source != simulated.COARSE:
        within = decided(differences[:50] - 0.5, ONE_EACH, words, half_width=1.0)
        assert within.share > 0.5


@pytest.mark.parametrize("n", [3, 10])
def test_re_splits_keep_the_promise_by_the_correction_alone(n: int) -> None:
    differences = simulated.dependent(drawn(n), ONE_EACH, COMPARISONS, n, TEST_TO_TRAIN)
    corrected = decided(differences, ONE_EACH, DIRECTED, test_to_train=TEST_TO_TRAIN)
    assert corrected.share <= MOST
    assert decided(differences[:400], ONE_EACH, DIRECTED).share > MOST


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
@pytest.mark.parametrize("n", [3, 10])
def test_five_arms_without_a_difference_are_not_told_apart(source: Source, n: int) -> None:
    values = source.of_normal(drawn(n).standard_normal((COMPARISONS, n, 5)))
    share = simulated.arms_told_apart(values, signs_only=source.signs_only)
    assert share.share <= MOST


@pytest.mark.parametrize("n", [5, 9, 13])
def test_the_power_is_counted_as_claims_are_decided(n: int) -> None:
    differences = drawn(n).standard_normal((60, n)) + 1.5
    others = [[Sample((0.0,), expected="greater")]] * 8
    words = [
        judge([[Sample(tuple(one), expected="greater")], *others])[0].word
        for one in differences.tolist()
    ]
    share = simulated.share_decided(differences, 9).share
    assert 0 < share == words.count("supported") / 60 < 1
    inside = [
        judge([[Sample(tuple(one), expected="less", half_width=4.0)], *others])[0].word
        for one in differences.tolist()
    ]
    share = simulated.share_level(differences, 9, 4.0).share
    assert 0 < share == inside.count("level") / 60
