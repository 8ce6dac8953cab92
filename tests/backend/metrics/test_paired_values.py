"""Pairs by seed, with values that are only known to be more than a bound."""

import pytest

from backend.metrics.measurements import Known, pair
from contract.statistics import compare


def known(*values: float) -> dict[int, Known]:
    return {seed: Known(value) for seed, value in enumerate(values)}


def more(value: float) -> Known:
    return Known(value, censored=True)


def test_pairs_by_seed_whatever_the_order() -> None:
    a = {3: Known(1.0), 1: Known(2.0), 9: Known(7.0)}
    b = {1: Known(0.5), 3: Known(0.25), 4: Known(8.0)}
    found = pair(a, b)
    assert found.difference == compare([1.0, 2.0], [0.25, 0.5])
    assert (found.censored, found.dropped) == (0, 0)
    assert pair(a, {}).difference is None
    assert pair({}, {}).values_a == []


def test_one_censored_takes_its_bound_and_there_is_no_interval() -> None:
    a = known(5, 6, 7)
    b = {0: more(50), 1: Known(40), 2: Known(30)}
    found = pair(a, b).difference
    assert found is not None
    assert found.mean_difference == pytest.approx((-45 - 34 - 23) / 3)
    assert (found.interval, found.effect_size, found.p_value, found.n) == (None, None, 0.25, 3)


def test_both_censored_drops_the_pair_and_leaves_no_interval() -> None:
    found = pair(
        {0: more(50), **{1: Known(5), 2: Known(6)}}, {0: more(50), 1: Known(9), 2: Known(8)}
    )
    assert found.difference is not None
    assert (found.difference.n, found.difference.mean_difference) == (2, -3.0)
    assert found.difference.interval is None
    assert (found.censored, found.dropped) == (1, 1)
    assert pair({0: more(50)}, {0: more(50)}).difference is None
    assert pair({0: more(50)}, {0: more(50)}).dropped == 1


def test_reached_in_the_last_epoch_against_not_reached_has_a_known_sign() -> None:
    for a, b, sign in ((Known(50), more(50), -1), (more(50), Known(50), 1)):
        found = pair({0: a}, {0: b}).difference
        assert found is not None
        assert found.mean_difference == sign


def test_a_bound_below_the_other_value_says_nothing() -> None:
    for a, b in ((more(20), Known(43)), (Known(43), more(20))):
        assert pair({0: a}, {0: b}).dropped == 1
    assert pair({0: more(43)}, {0: Known(20)}).dropped == 0
