"""The seeds that would halve the intervals."""

import pytest

from frontend.comparison.verdict.more_replicates import MAX_SEEDS, halving_text, seeds_to_add
from tests.support.verdicts import claim, evidence, verdict


def asking(replicates: int | None, floor: str = "") -> dict[str, object]:
    return verdict(claim(1, evidence()), to_halve={"replicates": replicates, "floor": floor})


def test_they_follow_the_seeds_that_are_there() -> None:
    found = seeds_to_add(asking(3), [0, 1, 7], arms=4)
    assert found is not None
    assert (list(found.seeds), found.runs, found.is_capped) == ([8, 9, 10], 12, False)


def test_they_end_at_the_limit_of_a_comparison() -> None:
    found = seeds_to_add(asking(30), range(90), arms=2)
    assert found is not None
    assert (len(found.seeds), found.is_capped) == (10, True)
    assert seeds_to_add(asking(30), range(MAX_SEEDS), arms=2) is None


def test_behind_the_largest_seed_the_free_ones_are_taken() -> None:
    found = seeds_to_add(asking(3), [1, 2**31 - 1], arms=2)
    assert found is not None
    assert list(found.seeds) == [0, 2, 3]


@pytest.mark.parametrize("floor", ["", "It cannot."])
def test_without_a_number_none_are_added(floor: str) -> None:
    assert seeds_to_add(asking(None, floor), [0], arms=2) is None
    assert halving_text(asking(None, floor)) == floor


def test_a_floor_takes_the_button_away() -> None:
    assert seeds_to_add(asking(30, "It cannot."), [0], arms=2) is None


def test_the_sentence_counts() -> None:
    assert halving_text(asking(1)) == "1 more seed would halve these intervals."
    assert halving_text(asking(1200)) == "1,200 more seeds would halve these intervals."
    assert halving_text(asking(None)) == ""
