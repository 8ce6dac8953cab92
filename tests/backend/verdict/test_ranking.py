"""Ranks, groups and their sentence, from means and pairs that differ clearly."""

from itertools import pairwise

import pytest

from backend.verdict.ranking import Ranking, rank, said
from contract.metrics import Better

MEANS = {"a": 0.9, "b": 0.8, "c": 0.7, "d": 0.6}


def test_groups_that_overlap_and_the_places_that_each_arm_may_have() -> None:
    found = rank(MEANS, "higher", [("a", "c"), ("a", "d"), ("b", "d")])
    assert found.best == ["a"]
    assert found.not_told_apart == [("a", "b"), ("b", "c"), ("c", "d")]
    assert found.groups == [["a", "b"], ["b", "c"], ["c", "d"]]
    assert found.places == {"a": (1, 2), "b": (1, 3), "c": (2, 4), "d": (3, 4)}
    assert said(found, 6) == "Best: a; no clear difference to b."


def test_where_lower_is_better_the_order_turns_round() -> None:
    found = rank(MEANS, "lower", [("d", "a"), ("d", "b"), ("d", "c")])
    assert found.best == ["d"]
    assert found.groups == [["d"], ["c", "b", "a"]]
    assert found.places["d"] == (1, 1)
    assert said(found, 6) == "Best: d; clear difference to all 3 others."


def test_where_neither_direction_is_better_there_are_groups_and_no_places() -> None:
    found = rank(MEANS, None, [("a", "d")])
    assert (found.best, found.places) == ([], {})
    assert found.groups == [["a", "b", "c"], ["b", "c", "d"]]
    assert said(found, 6) == "Neither direction is better."


def test_equal_means_share_the_first_place() -> None:
    found = rank({"a": 1.0, "b": 1.0, "c": 0.5}, "higher", [("a", "c"), ("b", "c")])
    assert found.best == ["a", "b"]
    assert found.places == {"a": (1, 2), "b": (1, 2), "c": (3, 3)}


def test_an_arm_that_another_is_ahead_of_is_not_best_though_its_mean_is() -> None:
    """Its mean is over other seeds: a lacks a seed at which all arms do badly."""
    found = rank({"a": 0.9, "b": 0.8}, "higher", [("b", "a")])
    assert found.best == ["b"]
    assert found.places == {"a": (2, 2), "b": (1, 1)}


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (1, "Only x0 has values."),
        (2, "Best: x0; no clear difference to x1."),
        (3, "Best: x0; no clear difference to x1 and x2."),
        (4, "Best: x0; no clear difference to any of the 3 others."),
        (20, "Best: x0; no clear difference to any of the 19 others."),
    ],
)
def test_the_sentence_for_any_number_of_arms(count: int, sentence: str) -> None:
    means = {f"x{place}": 1.0 - place / 100 for place in range(count)}
    assert said(rank(means, "higher", []), 1) == sentence


def test_arms_that_are_level_with_the_best_are_said_to_be() -> None:
    apart = rank({"a": 0.9, "b": 0.899}, "higher", [("a", "b")])
    assert said(apart, 1, {"b"}) == (
        "Best: a; clear difference to b. b is level with it: the difference is too small to matter."
    )
    found = rank(MEANS, "higher", [("a", "d")])
    assert said(found, 6, {"c", "b"}) == (
        "Best: a; no clear difference to b and c. b and c are level with it: the differences are "
        "too small to matter."
    )
    assert "level" not in said(apart, 0, {"b"}), "too few runs"


def test_the_sentence_names_a_few_of_many() -> None:
    means = {f"x{place}": 1.0 - place / 100 for place in range(20)}
    found = rank(means, "higher", [("x0", "x19")])
    assert said(found, 190) == "Best: x0; no clear difference to x1, x2, x3, x4, x5 and 13 others."


def test_the_sentence_without_values_and_with_too_few_runs() -> None:
    assert said(rank({}, "higher", []), 0) == "No arm has a value yet."
    two = rank({"a": 1.0, "b": 0.5}, "higher", [])
    assert said(two, 0) == "a has the best mean; too few runs to compare arms."


def test_twenty_arms_whose_neighbours_are_alike_have_nineteen_groups() -> None:
    names = [f"x{place:02}" for place in range(20)]
    apart = [(a, b) for place, a in enumerate(names) for b in names[place + 2 :]]
    found: Ranking = rank({name: -place for place, name in enumerate(names)}, "higher", apart)
    assert found.groups == [list(pair) for pair in pairwise(names)]


@pytest.mark.parametrize("better", ["higher", "lower", None])
def test_the_group_of_the_best_arm_comes_first(better: Better) -> None:
    found = rank(MEANS, better, [("a", "d"), ("d", "a")][:1] if better != "lower" else [("d", "a")])
    assert all(arm in found.groups[0] for arm in found.best)


def test_names_that_read_like_a_list_are_quoted() -> None:
    means = {"a, b": 0.9, "c": 0.8, "d": 0.7}
    found = rank(means, "higher", [("a, b", "d")])
    assert said(found, 3) == 'Best: "a, b"; no clear difference to c.'
