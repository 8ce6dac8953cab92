"""Values of two arms, paired by seed, and what is judged of them."""

import math
from typing import Any

import pytest

from backend.metrics.run_figures import Figures
from backend.metrics.run_statistics import Statistic
from backend.verdict.pairs import pair, sample_of
from tests.backend.verdict.paired_values import DECAY, INTRA, RECALL, Values, paired

COMMON = "retrieval.map_at_r.epochs_to_common"


def figures(**known: Any) -> Figures:
    empty: dict[str, Any] = {
        "final": {},
        "statistics": {},
        "untrained": {},
        "references": {},
        "last_epoch": {},
        "counts": {},
        "map_at_r": [],
    }
    return Figures(**{**empty, **known})


def test_held_out_metrics_and_statistics_of_whole_runs() -> None:
    a = {
        0: figures(final={RECALL: (50, 0.25)}, statistics={DECAY: Statistic(3.0)}),
        1: figures(final={RECALL: (50, None)}, statistics={DECAY: Statistic(10.0, True)}),
        2: figures(final={RECALL: (50, 0.5)}),
    }
    b = {
        0: figures(final={RECALL: (50, 0.75)}, statistics={DECAY: Statistic(2.0)}),
        1: figures(final={RECALL: (50, 0.75)}, statistics={DECAY: Statistic(4.0)}),
    }
    recall = pair(RECALL, a, b)
    assert [one.value for one in recall.values_a] == [0.25]
    assert [one.value for one in recall.values_b] == [0.75]
    decay = pair(DECAY, a, b)
    assert [(one.value, one.censored) for one in decay.values_a] == [(3, False), (10, True)]
    assert pair("test.last.retrieval.recall_at_1", a, b).difference is None


def test_epochs_to_a_common_level_come_from_both_runs_of_a_seed() -> None:
    a = {0: figures(map_at_r=[(0, 0.1), (1, 0.5), (5, 0.7)]), 1: figures(), 2: figures()}
    b = {0: figures(map_at_r=[(0, 0.1), (1, 0.4), (5, 0.5)]), 1: figures()}
    found = pair(COMMON, a, b)
    assert ([x.value for x in found.values_a], [x.value for x in found.values_b]) == ([1], [5])


def sample(key: str, values: Values, **practical: float) -> Any:
    return sample_of(key, paired(values), "less", practical)


def test_a_sample_of_a_share_has_limits_and_a_practical_bound() -> None:
    one = sample(RECALL, ([0.25, 0.5], [0.5, 0.25]))
    assert one.differences == (-0.25, 0.25)
    assert (one.limits, one.half_width, one.log_ratios) == ((-1, 1), 0.01, None)
    assert one.values == ((0.25, 0.5), (0.5, 0.25))
    assert sample(RECALL, ([0.5], [0.25]), **{"retrieval.recall": 0.125}).half_width == 0.125
    assert not one.signs_only


def test_a_sample_of_a_variance_has_ratios_unless_one_cannot_be_formed() -> None:
    one = sample(INTRA, ([1.0, 2.0], [2.0, 2.0]))
    assert one.log_ratios == pytest.approx((math.log(0.5), 0))
    far = sample(INTRA, ([1e150, 1e-160], [1e-160, 1e150])).log_ratios
    assert far == pytest.approx((310 * math.log(10), -310 * math.log(10)))
    assert (one.limits, one.half_width) == ((None, None), 1.25)
    zero = sample(INTRA, ([0.0, 2.0], [2.0, 2.0]))
    assert (zero.log_ratios, zero.half_width) == (None, None)


def test_only_signs_count_of_whole_numbers_and_of_censored_values() -> None:
    assert sample(DECAY, ([5, 6], [7, 8])).signs_only
    censored = sample(DECAY, ([5, 9, ">9"], [">9", ">9", 9]))
    assert censored.differences == (-4, -1, 1)
    assert (censored.values, censored.half_width) == (None, None)
