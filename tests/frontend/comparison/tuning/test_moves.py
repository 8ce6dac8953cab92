"""How far apart the arms are, and what one setting alone moves."""

from typing import Any

import pytest

from frontend.comparison.tuning.moves import best_text, moved_text, third_means
from tests.support.searches import search, searched

TITLES = {"loss.margin": "Margin / Angular margin", "training.optimizer.lr": "Learning rate"}
NINE = [0.9, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
"""The first one is the arm as it is written, which has no margin in its settings."""


def test_the_best_values_are_named_with_their_distance() -> None:
    found: Any = search()
    assert best_text(found, "MAP@R") == (
        "Best MAP@R on validation data: contrastive 0.9, triplet 0.85, 0.05 apart."
    )
    lost: Any = search(arms=[searched("a", [None]), searched("b", [0.25])])
    assert best_text(lost, "AMI") == "Best AMI on validation data: b 0.25."
    none: Any = search(arms=lost["arms"][:1])
    assert not best_text(none, "AMI")


def test_where_low_is_better_the_smallest_is_first() -> None:
    found: Any = search()
    assert "triplet 0.85, contrastive 0.9, 0.05" in best_text(found, "x", lower_better=True)


def test_thirds_of_a_setting_have_their_means() -> None:
    trials: Any = searched("a", NINE)["trials"]
    assert third_means(trials, "loss.margin") == pytest.approx([0.2, 0.5, 0.8])
    assert third_means(trials[:9], "loss.margin") == []
    assert third_means(trials, "loss.other") == []


def test_what_the_margin_alone_moves_is_said_once_there_are_enough_trials() -> None:
    found: Any = search(arms=[searched("a", NINE), searched("b", NINE[:5])])
    said = moved_text(found, TITLES, "MAP@R")
    assert said.startswith("What one setting alone moves in MAP@R: a 0.6 by its margin (between")
    few: Any = search(arms=found["arms"][1:])
    assert not moved_text(few, TITLES, "MAP@R")


def test_a_setting_of_names_and_one_that_never_varies_move_nothing() -> None:
    trials: Any = searched("a", NINE)["trials"]
    for trial in trials:
        trial["params"]["loss.selection"] = "all"
        trial["params"]["loss.fixed"] = 1
    assert third_means(trials, "loss.selection") == third_means(trials, "loss.fixed") == []
