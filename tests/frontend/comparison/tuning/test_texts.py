"""What is said of a search."""

from typing import Any

import pytest

from contract.catalogue.catalogue import catalogue
from frontend.comparison.tuning import texts
from tests.support.searches import search, searched

CATALOGUE: Any = catalogue()
METRICS = CATALOGUE["metrics"]


def comparison(**changes: Any) -> Any:
    runs = {"queued": 10, "running": 2, "succeeded": 30, "failed": 1, "cancelled": 5}
    return {"state": "running", "phase": "search", "trial_runs": runs, **changes}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "searching, 36 of 48 runs"),
        ({"phase": "final"}, ""),
        ({"phase": None, "trial_runs": None}, ""),
        ({"phase": "final", "state": "succeeded"}, ""),
        ({"state": "cancelled"}, ""),
    ],
)
def test_the_phase_is_said_while_it_lasts(changes: dict[str, Any], said: str) -> None:
    assert texts.phase_text(comparison(**changes)) == said


def test_results_are_of_final_runs() -> None:
    runs = {"queued": 10, "running": 2, "succeeded": 34, "failed": 1, "cancelled": 5}
    own = texts.own_runs(comparison(runs=runs))
    assert own == {"queued": 0, "running": 0, "succeeded": 4, "failed": 0, "cancelled": 0}
    assert texts.own_runs(comparison(runs=runs, trial_runs=None)) == runs


def test_the_budget_is_said_in_a_sentence() -> None:
    found: Any = search()
    assert texts.budget_text(found, METRICS) == (
        "6 trials for every arm, random draws; judged by MAP@R on validation data alone."
    )
    found = search(trials=1, sampler="tpe", folds=4, trial_seeds=[5, 6], objective="x")
    assert texts.budget_text(found, METRICS) == (
        "1 trial for every arm, TPE; judged by x on validation data alone, mean over 4 folds x 2 "
        "seeds."
    )


def test_trials_are_counted_once_they_are_over() -> None:
    found: Any = search("search", [searched("a", [0.5, None], waiting=4)])
    assert texts.trials_text(found) == "2 of 6 trials"


def test_settings_have_titles_that_differ() -> None:
    space: dict[str, Any] = {
        "loss.margin": {},
        "loss.scale": {},
        "training.optimizer.lr": {},
        "loss.odd": {},
    }
    found: Any = search(
        arms=[
            searched("a", [0.5], space={"loss.margin": {}, "training.optimizer.lr": {}}),
            searched("b", [0.5], space=space),
        ]
    )
    spec = {
        "arms": [
            {"name": "a", "loss": {"kind": "triplet"}},
            {"name": "b", "loss": {"kind": "arcface"}},
        ]
    }
    titles = texts.setting_titles(found, spec, CATALOGUE)
    assert titles == {
        "loss.margin": "Margin / Angular margin",
        "training.optimizer.lr": "Learning rate",
        "loss.scale": "Scale",
        "loss.odd": "loss.odd",
    }


def test_spaces_and_values_are_short() -> None:
    assert texts.space_text({"low": 1e-6, "high": 0.01, "log": True}) == "0.000001 to 0.01 (log)"
    assert texts.space_text({"low": 64, "high": 1024.0, "log": False}) == "64 to 1024"
    assert texts.value_text(0.00001234) == "0.0000123"
    assert texts.value_text(123.456) == "123"
    assert texts.space_text({"choices": [2, 4.5, "semi_hard"]}) == "2, 4.5, semi hard"
    assert texts.params_text({}, {}) == "as written"
    params = {"loss.margin": 0.123456, "loss.selection": "batch_hard"}
    assert texts.params_text(params, {"loss.margin": "Margin"}) == (
        "margin 0.123, loss.selection batch hard"
    )
