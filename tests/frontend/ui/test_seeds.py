"""Parsing and formatting seeds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frontend.ui.seeds import SeedsError, format_seeds, parse_seeds


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("0-4", [0, 1, 2, 3, 4]),
        ("0,1,2", [0, 1, 2]),
        (" 7 ", [7]),
        ("0 - 2; 9, 5", [0, 1, 2, 9, 5]),
        ("3–5", [3, 4, 5]),
        ("1,\n2,", [1, 2]),
    ],
)
def test_seeds_are_parsed(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "at least one seed is needed"),
        (" , ", "at least one seed is needed"),
        ("0,x", "“x” is not a valid seed"),
        ("-1", "“-1” is not a valid seed"),
        ("1.5", "“1.5” is not a valid seed"),
        ("4-0", "write 0-4"),
        ("0,1,0", "seed 0 is listed twice"),
        ("0-3, 2", "seed 2 is listed twice"),
        ("0-99999999999", "more than 1000 seeds"),
    ],
)
def test_a_wrong_text_is_refused_with_a_reason(text: str, problem: str) -> None:
    with pytest.raises(SeedsError, match=problem):
        parse_seeds(text)


@given(st.lists(st.integers(0, 40), min_size=1, unique=True))
def test_formatted_seeds_parse_to_the_same(seeds: list[int]) -> None:
    assert parse_seeds(format_seeds(seeds)) == seeds


def test_writes_runs_as_ranges() -> None:
    assert format_seeds([0, 1, 2, 3, 9, 5, 6]) == "0-3, 9, 5, 6"
