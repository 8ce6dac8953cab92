"""The section Tuning on the page of a new comparison, against the real API."""

from typing import Any

import httpx

from contract.comparison.spec import parse_spec
from contract.tuning.spaces import completed
from tests.support.form_page import opened, post, press, run, said, stored
from tests.support.open_board import Board
from tests.support.specs import small
from tests.support.tuned import store_tuned

MARGIN = "new.arms.0.search.loss.margin"
LR = "new.arms.0.search.training.optimizer.lr"


def keys(at: Any) -> set[str]:
    """The keys of all fields of the form."""
    fields = (at.number_input, at.selectbox, at.text_input, at.toggle, at.multiselect)
    return {field.key for kind in fields for field in kind if field.key}


def switched_on(http: httpx.Client) -> Any:
    at = opened(http)
    at.toggle(key="new.tuning").set_value(True)
    return run(at)


def test_it_is_off_until_it_is_switched_on_and_then_shows_each_arm_s_space(
    http: httpx.Client,
) -> None:
    at = opened(http)
    assert at.toggle(key="new.tuning").value is False
    assert not [key for key in keys(at) if ".search." in key or key.startswith("new.tuning.")]
    assert "2 arms × 3 seeds = 6 runs" in said(at)
    at.toggle(key="new.tuning").set_value(True)
    run(at)
    assert "2 arms × 24 trials + 2 × 3 seeds = 54 runs" in said(at)
    assert "nothing differs but what is tuned: margin, positive margin, learning rate" in said(at)
    assert at.number_input(key=f"{MARGIN}.low").value == 0.1
    assert at.number_input(key=f"{MARGIN}.high").value == 2.0
    assert at.selectbox(key=f"{MARGIN}.scale").value == "linear"
    assert at.selectbox(key="new.arms.1.search.loss.margin.scale").value == "log"
    assert at.text_input(key="new.tuning.trial_seeds").value == "1000"
    assert at.selectbox(key="new.tuning.objective").value == "retrieval.map_at_r"
    assert "new.tuning.round" not in keys(at)


def test_the_ready_made_space_follows_loss_and_optimiser(http: httpx.Client) -> None:
    at = switched_on(http)
    at.selectbox(key="new.training.optimizer.kind").set_value("sgd")
    run(at)
    assert at.number_input(key=f"{LR}.high").value == 1.0
    at.selectbox(key="new.arms.0.loss.kind").set_value("info_nce")
    run(at)
    assert at.number_input(key="new.arms.0.search.loss.temperature.low").value == 0.005
    assert f"{MARGIN}.low" not in keys(at)
    at.selectbox(key="new.training.sampler.kind").set_value("m_per_class")
    run(at)
    assert "new.arms.1.search.training.sampler.m.choices" not in keys(at)  # 64 / 8 classes alone
    at.number_input(key="new.training.batch_size").set_value(32)
    run(at)
    assert at.text_input(key="new.arms.1.search.training.sampler.m.choices").value == "4, 8"
    at.number_input(key=f"{LR}.high").set_value(0.5)  # the space is now the arm's own
    run(at)
    press(at, "new_start")
    [spec] = stored(http)
    for arm in spec["arms"]:
        assert arm["search"]["training.sampler.m"] == {"choices": [4, 8]}


def test_what_is_shown_is_what_is_submitted(http: httpx.Client) -> None:
    at = switched_on(http)
    press(at, "new_start")
    [spec] = stored(http)
    parsed = parse_spec(spec)
    assert spec["tuning"] == parse_spec(small(tuning={})).model_dump(mode="json")["tuning"]
    bare = {**spec, "arms": [{**arm, "search": {}} for arm in spec["arms"]]}
    assert parsed == completed(parse_spec(bare))


def test_a_space_is_changed_and_every_setting_is_submitted(http: httpx.Client) -> None:
    at = switched_on(http)
    at.number_input(key=f"{MARGIN}.low").set_value(0.25)
    at.number_input(key="new.tuning.trials").set_value(5)
    at.number_input(key="new.tuning.folds").set_value(2)
    at.selectbox(key="new.tuning.sampler").set_value("tpe")
    at.text_input(key="new.tuning.trial_seeds").set_value("50, 51")
    run(at)
    assert "2 arms × 5 trials × 2 folds × 2 trial seeds + 2 × 3 seeds = 46 runs" in said(at)
    at.number_input(key="new.tuning.round").set_value(3)
    at.selectbox(key=f"{LR}.scale").set_value("choices")
    run(at)
    at.text_input(key=f"{LR}.choices").set_value("0.001, 0.01")
    press(at, "new_space_remove_0_loss.positive_margin")
    at.selectbox(key="new_space_add_0").set_value("training.epochs")
    run(at)
    assert at.number_input(key="new.arms.0.search.training.epochs.high").value == 40
    at.selectbox(key="new_space_add_0").set_value("loss.selection")
    run(at)
    at.multiselect(key="new.arms.0.search.loss.selection.choices").set_value(["all", "sampled"])
    press(at, "new_start")
    [spec] = stored(http)
    tuning = spec["tuning"]
    assert (tuning["trials"], tuning["folds"], tuning["sampler"]) == (5, 2, "tpe")
    assert (tuning["round"], tuning["trial_seeds"]) == (3, [50, 51])
    assert spec["arms"][0]["search"] == {
        "loss.margin": {"low": 0.25, "high": 2.0, "log": False},
        "training.optimizer.lr": {"choices": [0.001, 0.01]},
        "training.optimizer.weight_decay": {"low": 1e-6, "high": 0.01, "log": True},
        "training.epochs": {"low": 10.0, "high": 40.0, "log": False},
        "loss.selection": {"choices": ["all", "sampled"]},
    }
    assert list(spec["arms"][1]["search"]) == [
        "loss.margin",
        "training.optimizer.lr",
        "training.optimizer.weight_decay",
    ]
    again = opened(http, **{"from": http.get("/api/v1/comparisons").json()["comparisons"][0]["id"]})
    assert again.toggle(key="new.tuning").value is True
    assert again.text_input(key=f"{LR}.choices").value == "0.001, 0.01"
    press(again, "new_space_reset_0")
    assert again.number_input(key=f"{MARGIN}.low").value == 0.1


def test_problems_of_the_api_stand_at_their_fields(http: httpx.Client) -> None:
    at = switched_on(http)
    at.number_input(key=f"{MARGIN}.low").set_value(-1.0)
    at.number_input(key=f"{LR}.low").set_value(0.5)
    at.selectbox(key="new.arms.1.search.training.optimizer.weight_decay.scale").set_value("choices")
    at.text_input(key="new.tuning.trial_seeds").set_value("0")
    run(at)
    at.text_input(key="new.arms.1.search.training.optimizer.weight_decay.choices").set_value("0, x")
    press(at, "new_start")
    assert stored(http) == []
    text = said(at)
    for title in ("Margin, low", "Learning rate", "Weight decay, choices", "Seeds of the trials"):
        assert f"{title}</b>" in text
    assert "low 0.5 is not below high 0.01<" in text  # without the space as JSON after it
    assert "must be a number; got &#x27;x&#x27;" in text
    assert "0 is a seed of the final runs too" in text
    assert ".st-key-new-arms-0-search-loss-margin-low " in text
    at.number_input(key=f"{LR}.low").set_value(0.0001)
    run(at)
    assert "low 0.5 is not below" not in said(at)
    assert ".st-key-new-arms-0-search-loss-margin-low " in said(at)


def test_seeds_of_trials_are_read_as_they_are_typed(http: httpx.Client) -> None:
    at = switched_on(http)
    at.text_input(key="new.tuning.trial_seeds").set_value("many")
    run(at)
    assert "“many” is not a valid seed" in said(at)
    press(at, "new_start")
    assert "<b>Seeds of the trials</b>" in said(at)
    assert stored(http) == []


def test_a_budget_beyond_the_limit_is_refused_at_the_trials(http: httpx.Client) -> None:
    at = switched_on(http)
    at.number_input(key="new.tuning.trials").set_value(500)
    at.number_input(key="new.tuning.folds").set_value(5)
    press(at, "new_start")
    assert "2 arms x 500 trials x 5 folds + 2 x 3 seeds = 5,006 runs are more" in said(at)
    assert ".st-key-new-tuning-trials " in said(at)


def test_a_duplicate_gets_the_best_settings_or_those_of_a_trial(
    board: Board,
) -> None:
    http, database = board
    states = {"pull": ["complete", "complete"], "rank": ["complete", "failed"]}
    made = store_tuned(database, states, {"pull": ["succeeded"] * 2, "rank": ["succeeded"] * 2})
    at = opened(http, **{"from": made.id, "settings": "best"})
    assert at.toggle(key="new.tuning").value is False
    assert at.number_input(key="new.arms.0.loss.margin").value == 0.2
    assert at.number_input(key="new.arms.1.loss.margin").value == 1.0
    at = opened(http, **{"from": made.id, "arm": "rank", "trial": "1"})
    margins = [at.number_input(key=f"new.arms.{arm}.loss.margin").value for arm in (0, 1)]
    assert margins == [0.2, 0.2]
    at = opened(http, **{"from": made.id, "arm": "rank", "trial": "99"})
    assert "There is no trial 99 of an arm “rank”; these are the best settings" in said(at)
    at = opened(http, **{"from": made.id})
    assert at.toggle(key="new.tuning").value is True


def test_where_such_runs_have_ended_the_time_is_said(
    board: Board,
) -> None:
    http, database = board
    made = store_tuned(database, {"pull": ["complete"], "rank": ["complete"]})
    at = opened(http, **{"from": made.id})
    assert "= 8 runs**" in said(at)
    assert "about" not in said(at).partition("= 8 runs")[2][:20]  # there is no slot
    plain = post(http, small(arms=list(made.spec.model_dump(mode="json")["arms"]), tuning={}))
    assert "runs**, about" not in said(opened(http, **{"from": plain}))
