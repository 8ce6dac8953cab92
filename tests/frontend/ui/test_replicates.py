"""What the runs of an arm replicate, in words."""

import pytest

from frontend.ui.replicates import count_text, over_text


def test_seeds_are_on_one_split() -> None:
    assert over_text("seed") == "seeds on one split"
    assert [count_text("seed", count) for count in (1, 10)] == [
        "1 seed on one split",
        "10 seeds on one split",
    ]


@pytest.mark.parametrize("noun", ["draw", "split"])
def test_others_are_named_by_their_noun(noun: str) -> None:
    assert over_text(noun) == f"{noun}s"
    assert [count_text(noun, count) for count in (1, 10)] == [f"1 {noun}", f"10 {noun}s"]
