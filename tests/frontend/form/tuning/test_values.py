"""Searches that go through the form: from a spec into its fields, and back."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from contract.catalogue.catalogue import LOSSES
from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.comparison.tuning import Space
from contract.comparison.tuple_checks import TUPLES_ONLY
from contract.tuning.problems import tuning_problems
from contract.tuning.spaces import completed
from frontend.form.from_spec import read_spec
from frontend.form.to_spec import copy_arm, remove_arm, write_spec
from frontend.form.tuning.settings import effective, first_space
from frontend.form.tuning.size import runs_text
from frontend.form.tuning.values import (
    M,
    fitting_settings,
    ready_settings,
    search_path,
    settings_of,
    without_search,
)
from tests.support.form_fields import FORM, filled
from tests.support.specs import small

KINDS = [row.kind for row in LOSSES if row.kind not in TUPLES_ONLY]
TUNING = {
    **{"trials": 7, "objective": "retrieval.recall_at_1", "sampler": "tpe", "seed": 5, "round": 3},
    **{"folds": 4, "trial_seeds": [1000, 1003], "include_default": False},
}


def round_trip(spec: Any) -> Any:
    """The spec that the form makes of a spec."""
    return parse_spec(write_spec(filled(spec), FORM))


def test_every_setting_of_a_search_comes_out_as_it_went_in() -> None:
    spec = small(tuning=TUNING)
    assert set(TUNING) == set(parse_spec(spec).model_dump()["tuning"])
    assert round_trip(spec) == parse_spec(spec)
    assert write_spec(filled(spec), FORM)["tuning"] == TUNING


def test_a_spec_without_a_search_has_none() -> None:
    written = write_spec(filled(small()), FORM)
    assert "tuning" not in written
    assert "search" not in written["arms"][0]
    assert round_trip(small(tuning=None)).tuning is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_ready_made_space_of_every_loss_comes_out_as_it_went_in(
    kind: str, optimizer: str
) -> None:
    training = {
        **{"epochs": 2, "batch_size": 16, "optimizer": {"kind": optimizer}},
        "sampler": {"kind": "m_per_class", "m": 8},
    }
    spec = small(arms=[{"name": "a", "loss": {"kind": kind}}], training=training, tuning={})
    assert round_trip(spec) == parse_spec(spec)  # the space is left to the API
    stored = completed(parse_spec(spec))
    assert stored.arms[0].search
    assert round_trip(stored.model_dump(mode="json")) == stored


@pytest.mark.parametrize("m", [2, 4, 8])
@pytest.mark.parametrize("size", [16, 32, 64, 256])
@pytest.mark.parametrize(
    "data",
    [
        {"kind": "digits"},
        {"kind": "synthetic", "classes": 30},
        {"kind": "cifar100", "train_labels": "coarse"},
        {"kind": "cifar100", "train_labels": "fine"},
        {"kind": "cub200"},
        {"kind": "features", "file": "/there.npz"},
        {"kind": "spoken_digits"},
    ],
    ids=lambda one: "-".join(map(str, one.values())),
)
def test_the_ready_made_space_that_is_shown_is_the_one_that_the_api_fills_in(
    data: dict[str, Any], size: int, m: int
) -> None:
    training = {"batch_size": size, "sampler": {"kind": "m_per_class", "m": m}}
    spec = small(data=data, training=training, tuning={})
    spec["encoder"] = {"kind": "mlp"}
    if data["kind"] == "spoken_digits":
        spec["visual_encoder"] = {"kind": "mlp"}
    read = ComparisonSpec.model_validate(spec)  # unchecked: not all of these fit as written
    values = filled(spec)
    for index, arm in enumerate(completed(read).arms):
        shown = {one.path: one.space for one in ready_settings(FORM, values, index)}
        assert list(map(TypeAdapter(Space).validate_python, shown.values())) == list(
            map((arm.search or {}).get, shown)
        )
        assert shown.keys() == (arm.search or {}).keys()


def test_items_a_class_that_are_added_fit_the_data() -> None:
    training = {"batch_size": 64, "sampler": {"kind": "m_per_class", "m": 16}}
    values = filled(small(training=training, tuning={}))
    assert M not in {one.path for one in ready_settings(FORM, values, 0)}  # 8 alone of 2, 4, 8
    [added] = [one for one in fitting_settings(FORM, values, 0) if one.path == M]
    assert first_space(added, 16) == {"choices": [8]}
    values["training.batch_size"] = 32
    values |= {"arms.0.training": ("sampler",), "arms.0.training.sampler.kind": "m_per_class"}
    [added] = [one for one in fitting_settings(FORM, values, 0) if one.path == M]
    assert first_space(added, None) == {"choices": [2, 4, 8]}


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_that_can_be_searched_comes_out_as_it_went_in(kind: str) -> None:
    values = filled(small(arms=[{"name": "a", "loss": {"kind": kind}}], tuning={}))
    settings = effective(settings_of(FORM, values, 0), values, "arms.0")
    assert len(settings) > 5
    for setting in settings:
        search = {setting.path: dict(first_space(setting, 4))}
        spec = small(arms=[{"name": "a", "loss": {"kind": kind}, "search": search}], tuning={})
        assert round_trip(spec) == parse_spec(spec)


@pytest.mark.parametrize(
    "space",
    [
        {"low": 0.25, "high": 0.5, "log": False},
        {"low": 1e-7, "high": 123.456, "log": True},
        {"choices": [0.1, 0.25, 1]},
        {"choices": [1e-9]},
    ],
)
def test_every_kind_of_space_comes_out_as_it_went_in(space: dict[str, Any]) -> None:
    arms = [{"name": "a", "loss": {"kind": "triplet"}, "search": {"loss.margin": space}}]
    written = write_spec(filled(small(arms=arms, tuning={})), FORM)
    assert written["arms"][0]["search"] == {"loss.margin": space}


def test_settings_of_an_arm_decide_which_rows_it_has() -> None:
    own = {"optimizer": {"kind": "sgd", "lr": 0.1}, "sampler": {"kind": "m_per_class", "m": 4}}
    arms = [
        {"name": "a", "loss": {"kind": "contrastive", "reduction": "balanced"}, "training": own},
        {"name": "b", "loss": {"kind": "contrastive"}},
    ]
    values = filled(small(arms=arms, tuning={}))
    first, second = (
        {one.path: one for one in effective(settings_of(FORM, values, at), values, f"arms.{at}")}
        for at in (0, 1)
    )
    assert first["training.optimizer.lr"].space == {"low": 0.001, "high": 1.0, "log": True}
    assert second["training.optimizer.lr"].space == {"low": 0.0001, "high": 0.01, "log": True}
    assert first.keys() - second.keys() == {
        "loss.pull_weight",
        "training.sampler.m",
        "training.optimizer.momentum",
    }


def test_what_is_no_search_is_reported_and_left_out() -> None:
    search = {
        "loss.margin": {"low": "wide", "high": 2},
        "loss.scale": {"low": 1, "high": 2},
        "loss.selection": {"low": 1, "high": 2},
        "training.optimizer.lr": [1, 2],
        "training.epochs": {"low": 2, "high": 4},
    }
    arms = [
        {"name": "a", "loss": {"kind": "triplet"}, "search": search},
        {"name": "b", "loss": {"kind": "triplet"}, "search": "wide"},
    ]
    tuning = {"trials": 0, "objective": "beauty", "trial_seeds": "many", "colour": "red"}
    values, problems = read_spec(small(arms=arms, tuning=tuning), FORM)
    assert {problem.path for problem in problems} == {
        *(f"arms.0.search.{path}" for path in list(search)[:4]),
        *("arms.1.search", "tuning.trials", "tuning.objective", "tuning.colour"),
    }
    written = write_spec(values, FORM)
    assert written["arms"][0]["search"] == {
        "training.epochs": {"low": 2.0, "high": 4.0, "log": False}
    }
    assert written["tuning"]["trial_seeds"] == "many"  # the API says what is wrong


def test_a_space_without_a_search_switches_it_on() -> None:
    search = {"loss.margin": {"low": 0.1, "high": 1}}
    arms = [{"name": "a", "loss": {"kind": "triplet"}, "search": search}]
    values, problems = read_spec(small(arms=arms), FORM)
    assert [problem.path for problem in problems] == ["tuning"]
    written = write_spec(values, FORM)
    assert tuning_problems(written) == []
    assert list(written["arms"][0]["search"]) == ["loss.margin"]


def test_numbers_that_are_typed_as_choices_are_read() -> None:
    values = filled(small(tuning={}))
    at = "arms.0.search.loss.margin"
    values |= {
        "arms.0.search": ["loss.margin"],
        f"{at}.scale": "choices",
        f"{at}.choices": "0.1, 1; 2 x",
    }
    written = write_spec(values, FORM)["arms"][0]["search"]
    assert written == {"loss.margin": {"choices": [0.1, 1, 2, "x"]}}
    values[f"{at}.choices"] = ""
    assert write_spec(values, FORM)["arms"][0]["search"] == {"loss.margin": {"choices": []}}


def test_arms_take_their_space_along() -> None:
    space = {"loss.margin": {"low": 0.25, "high": 0.5, "log": False}}
    arms = [
        {"name": "a", "loss": {"kind": "contrastive"}},
        {"name": "b", "loss": {"kind": "triplet"}, "search": space},
    ]
    values = copy_arm(filled(small(arms=arms, tuning={})), 1)
    assert [arm.get("search") for arm in write_spec(values, FORM)["arms"]] == [None, space, space]
    values = remove_arm(values, 0)
    assert [arm.get("search") for arm in write_spec(values, FORM)["arms"]] == [space, space]
    values = without_search(values, 0)
    assert values[search_path(0)] is None
    assert [arm.get("search") for arm in write_spec(values, FORM)["arms"]] == [None, space]


def test_the_number_of_runs_says_how_it_comes_about() -> None:
    values = filled(small())
    assert runs_text(values, 2, [0, 1, 2]) == "2 arms × 3 seeds = 6 runs"
    values = filled(small(tuning={"folds": 4}))
    ten = list(range(10))
    assert runs_text(values, 2, ten) == "2 arms × 24 trials × 4 folds + 2 × 10 seeds = 212 runs"
    values = filled(small(tuning={"trials": 1, "trial_seeds": [5, 6]}))
    said = "1 arm × 1 trial × 2 trial seeds + 1 × 1 seed = 3 runs"
    assert runs_text(values, 1, [0]) == said
    values["tuning.trial_seeds"] = "x"
    assert runs_text(values, 1, [0]) == "1 arm × 1 trial + 1 × 1 seed = 2 runs"
