"""What stands above the tabs of a comparison that is tuned."""

from typing import Any

from frontend.comparison.tuning.head import search_html, trial_html
from tests.support.searches import search

EVIL = "<script>alert(1)</script>"


def comparison(**changes: Any) -> Any:
    spec = {"tuning": {"trials": 24, "folds": 1, "trial_seeds": [1000]}}
    runs = {"queued": 10, "running": 2, "succeeded": 30, "failed": 1, "cancelled": 0}
    usual = {"state": "running", "progress": 0.42, "eta_s": 200.0, "arms": ["a", "b"]}
    return {**usual, "spec": spec, "trial_runs": runs, **changes}


def test_a_search_says_how_far_it_is() -> None:
    said = search_html(comparison())
    assert "<b>▶ searching</b> <span>31 of 48 trials · 42 % of all runs · about 3 min left" in said
    assert "aria-valuenow='42'" in said


def test_trials_of_several_runs_are_counted_by_runs() -> None:
    spec = {"tuning": {"trials": 24, "folds": 4, "trial_seeds": [1000]}}
    assert "31 of 192 runs of 48 trials" in search_html(comparison(spec=spec))


def test_a_search_that_waits_or_was_cancelled_says_so() -> None:
    assert "<b>◌ queued</b>" in search_html(comparison(state="queued"))
    said = search_html(comparison(state="cancelled"))
    assert "<b>◼ cancelled</b> <span>31 of 48 trials</span>" in said


def test_the_curves_of_a_run_say_whose_they_are() -> None:
    found: Any = search()
    arm = found["arms"][0]
    arm["name"] = EVIL
    trial = arm["trials"][2]
    trial["runs"][0]["fold"] = 1
    said = trial_html(arm, trial, trial["runs"][0]["id"], {"loss.margin": "Margin"})
    assert EVIL not in said
    assert "trial 2</b>, seed 1000, fold 2; margin 0.2, training.optimizer.lr 0.002" in said
