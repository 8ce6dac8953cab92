"""Pairs of values by seed, some of them censored."""

import pytest

from backend.metrics.measurements import Observation, pair_by_seed
from contract.statistics import compare


def observed(*values: float) -> dict[int, Observation]:
    return {seed: Observation(value) for seed, value in enumerate(values)}


def censored(value: float) -> Observation:
    return Observation(value, censored=True)


def test_pairs_by_seed_in_any_order() -> None:
    a = {3: Observation(1.0), 1: Observation(2.0), 9: Observation(7.0)}
    b = {1: Observation(0.5), 3: Observation(0.25), 4: Observation(8.0)}
    found = pair_by_seed(a, b)
    assert found.difference == compare([1.0, 2.0], [0.25, 0.5])
    assert (found.censored, found.dropped) == (0, 0)
    assert pair_by_seed(a, {}).difference is None
    assert pair_by_seed({}, {}).values_a == []


def test_one_censored_value_counts_as_its_bound_and_there_is_no_interval() -> None:
    a = observed(5, 6, 7)
    b = {0: censored(50), 1: Observation(40), 2: Observation(30)}
    found = pair_by_seed(a, b).difference
    assert found is not None
    assert found.mean_difference == pytest.approx((-45 - 34 - 23) / 3)
    assert (found.interval, found.effect_size, found.p_value, found.n) == (None, None, 0.25, 3)


def test_a_pair_of_censored_values_is_dropped_and_there_is_no_interval() -> None:
    found = pair_by_seed(
        {0: censored(50), **{1: Observation(5), 2: Observation(6)}},
        {0: censored(50), 1: Observation(9), 2: Observation(8)},
    )
    assert found.difference is not None
    assert (found.difference.n, found.difference.mean_difference) == (2, -3.0)
    assert found.difference.interval is None
    assert (found.censored, found.dropped) == (1, 1)
    assert pair_by_seed({0: censored(50)}, {0: censored(50)}).difference is None
    assert pair_by_seed({0: censored(50)}, {0: censored(50)}).dropped == 1


def test_reached_in_the_last_epoch_against_not_reached_has_a_known_sign() -> None:
    for a, b, sign in ((Observation(50), censored(50), -1), (censored(50), Observation(50), 1)):
        found = pair_by_seed({0: a}, {0: b}).difference
        assert found is not None
        assert found.mean_difference == sign


def test_a_pair_with_a_bound_below_the_other_value_is_dropped() -> None:
    for a, b in ((censored(20), Observation(43)), (Observation(43), censored(20))):
        assert pair_by_seed({0: a}, {0: b}).dropped == 1
    assert pair_by_seed({0: censored(43)}, {0: Observation(20)}).dropped == 0
