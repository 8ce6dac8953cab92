"""Which value a share of a space stands for, and which values are brought together."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.comparison.tuning import Choices, Range, Space
from contract.tuning.draws import settled, value_of

SHARES = st.floats(0, 1, exclude_max=True)


@given(SHARES, st.floats(1e-6, 1e3), st.floats(1e-6, 1e3), st.booleans())
def test_a_value_lies_within_its_range(share: float, one: float, other: float, log: bool) -> None:
    low, high = sorted((one, other))
    if low < high:
        space = Range(low=low, high=high, log=log)
        assert low <= float(value_of("loss.margin", space, share)) <= high


@pytest.mark.parametrize(
    ("space", "share", "value"),
    [
        (Range(low=1, high=3), 0.0, 1.0),
        (Range(low=1, high=3), 0.5, 2.0),
        (Range(low=0.01, high=1, log=True), 0.5, 0.1),
        (Choices(choices=[2, 4, 8]), 0.0, 2),
        (Choices(choices=[2, 4, 8]), 0.34, 4),
        (Choices(choices=[2, 4, 8]), 0.9999, 8),
        (Choices(choices=["mean", "sum"]), 0.5, "sum"),
    ],
)
def test_shares_stand_for_values(space: Space, share: float, value: float | str) -> None:
    assert value_of("loss.x", space, share) == (
        value if isinstance(value, str) else pytest.approx(value)
    )


def test_every_whole_number_of_a_range_is_as_likely_as_the_others() -> None:
    space = Range(low=2, high=6)
    seen = Counter(value_of("training.sampler.m", space, share / 1000) for share in range(1000))
    assert seen == {2: 200, 3: 200, 4: 200, 5: 200, 6: 200}
    assert all(type(value) is int for value in seen)
    log = Range(low=1, high=100, log=True)
    ends = [value_of("training.epochs", log, share) for share in (0.0, 1 - 2**-53)]
    assert ends == [1, 100]


SEARCH: dict[str, Space] = {
    "loss.margin": Range(low=0.1, high=2),
    "loss.positive_margin": Range(low=0, high=0.5),
}


@given(st.floats(0.1, 2), st.floats(0, 0.5))
def test_a_positive_margin_is_brought_below_its_margin(margin: float, positive: float) -> None:
    params = {"loss.margin": margin, "loss.positive_margin": positive}
    fitting = settled(params, SEARCH)
    assert fitting["loss.margin"] == margin
    assert fitting["loss.positive_margin"] == min(positive, 0.9 * margin)
    assert settled(fitting, SEARCH) == fitting


def test_other_values_stay_as_they_are() -> None:
    assert settled({"loss.margin": 0.1}, SEARCH) == {"loss.margin": 0.1}
    alone = {"loss.positive_margin": 0.5}
    assert settled(alone, SEARCH) == alone
    choices: dict[str, Space] = {**SEARCH, "loss.positive_margin": Choices(choices=[0.0, 0.5])}
    both = {"loss.margin": 0.51, "loss.positive_margin": 0.5}
    assert settled(both, choices) == both
