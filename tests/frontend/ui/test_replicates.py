"""What the runs of an arm replicate, in words."""

import pytest

from frontend.ui.replicates import count_text, noun, over_text


@pytest.mark.parametrize("spec", [{}, {"replicate": "seed"}])
def test_seeds_are_on_one_split(spec: dict[str, str]) -> None:
    assert noun(spec) == "seed"
    assert over_text(spec) == "seeds on one split"
    assert [count_text(spec, count) for count in (1, 10)] == [
        "1 seed on one split",
        "10 seeds on one split",
    ]


def test_splits_are_named_so() -> None:
    spec = {"replicate": "split"}
    assert noun(spec) == "split"
    assert over_text(spec) == "splits"
    assert [count_text(spec, count) for count in (1, 10)] == ["1 split", "10 splits"]
