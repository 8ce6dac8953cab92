"""The texts of a comparison's dialogs, and the fields that they send."""

from typing import Any, cast

import pytest

from frontend.api.types import Comparison
from frontend.comparison.actions import (
    MORE_SEEDS,
    action_label,
    added_runs_text,
    freed_html,
    suggested_seeds,
)


def comparison(**values: Any) -> Comparison:
    own = {"name": "n", "tags": ["a"], "notes": "", "seeds": [0], "arms": ["x", "y"]}
    more = {"runs": {"queued": 2}, "replicate_noun": "seed"}
    return cast(Comparison, {**own, **more, **values})


@pytest.mark.parametrize(
    ("seeds", "suggested"),
    [([0, 1, 2], "3-5"), ([], "0-2"), ([9, 3], "10-12"), (list(range(98)), "98, 99")],
)
def test_the_next_seeds_are_suggested(seeds: list[int], suggested: str) -> None:
    assert suggested_seeds(seeds) == suggested
    assert suggested_seeds(list(range(100))) == ""


def test_the_runs_that_seeds_add_are_counted() -> None:
    own = comparison()
    assert added_runs_text(own, []) == "It has seed 0 already."
    assert added_runs_text(own, [4]).endswith("1 seed × 2 arms = 2 more runs, 4 in all.")


@pytest.mark.parametrize("noun", ["draw", "split"])
def test_where_the_split_varies_seeds_are_called_by_their_noun(noun: str) -> None:
    own = comparison(replicate_noun=noun)
    assert added_runs_text(own, [4, 5]).endswith(f"2 {noun}s × 2 arms = 4 more runs, 6 in all.")
    assert action_label(MORE_SEEDS, own) == f"More {noun}s"
    assert action_label(MORE_SEEDS, comparison()) == "More seeds"
    assert action_label("Delete", own) == "Delete"


def test_a_deletion_shows_in_numbers_what_it_frees() -> None:
    html = freed_html({"bytes": 12_300_000, "points": 1_234_567, "runs": 1})
    assert "<b>1</b><span>run</span>" in html
    assert "<b>1,234,567</b>" in html
    assert "<b>12.3 MB</b>" in html
