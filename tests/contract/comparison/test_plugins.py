"""Arms with losses from outside: problems are told at their fields, defaults are written out."""

from typing import Any

import pytest

from contract.catalogue.plugins import listed_plugins, loss_rows, search_rows, with_trainable
from contract.comparison.bundles import bundle_key
from contract.comparison.differences import differences
from contract.comparison.plugins import plugin_problems, value_problem, with_defaults
from contract.comparison.spec import parse_spec
from contract.tuning.problems import tuning_problems
from contract.tuning.spaces import completed
from contract.tuning.specs import trial_spec
from tests.support.plugin_entries import KNOWN, PROXIES, arm, entry
from tests.support.specs import small

Json = dict[str, Any]


def problems(*arms: Json, **changes: Any) -> dict[str, str]:
    return dict(plugin_problems(small(arms=list(arms), **changes), KNOWN))


def test_a_fitting_arm_has_no_problem() -> None:
    good = arm("siglip", params={"temperature": 2, "bias": -1.5, "side": "right", "soft": True})
    assert problems(good) == {}
    assert problems({"name": "ours", "loss": {"kind": "triplet"}}) == {}
    mined = arm(
        "pml.ProxyAnchorLoss",
        miner={"name": "MultiSimilarityMiner", "params": {"epsilon": 0.2}},
        distance={"name": "CosineSimilarity"},
    )
    assert problems(mined) == {}


@pytest.mark.parametrize(
    ("params", "path", "said"),
    [
        ({"temperature": 0}, "temperature", "must be above 0; got 0"),
        ({"temperature": "hot"}, "temperature", "must be a number; got 'hot'"),
        ({"temperature": True}, "temperature", "must be a number; got True"),
        ({"temperature": None}, "temperature", "must be a number; got null"),
        ({"bins": 2.5}, "bins", "must be a whole number; got 2.5"),
        ({"bins": 1}, "bins", "must be at least 2; got 1"),
        ({"side": "up"}, "side", "must be one of 'left', 'right'; got 'up'"),
        ({"soft": 1}, "soft", "must be true or false; got 1"),
        ({"bias": "low"}, "bias", "must be a number or null; got 'low'"),
        ({"heat": 1}, "heat", "unknown parameter; known are temperature, bins, side, bias, soft"),
    ],
)
def test_a_wrong_parameter_is_told_at_its_field(params: Json, path: str, said: str) -> None:
    found = problems({"name": "ours", "loss": {"kind": "triplet"}}, arm("siglip", params=params))
    assert found == {f"arms[1].loss.params.{path}": said}


def test_all_problems_of_all_arms_are_told_at_once() -> None:
    found = problems(
        arm("sigilp"),
        arm("broken"),
        arm("siglip", params={"bins": 0, "heat": 1}, miner={"name": "BatchHardMiner"}),
        arm("pml.ProxyAnchorLoss", distance={"name": "Lp"}, miner={"name": "BatchHardMiner"}),
        arm("pml.ProxyAnchorLoss", distance={"name": "LpDistance", "params": {"p": "two"}}),
    )
    assert found == {
        "arms[0].loss.name": "no worker has reported a loss 'sigilp'; did you mean siglip?",
        "arms[1].loss.name": (
            "'broken' cannot be used: its gradient at the embeddings is not finite"
        ),
        "arms[2].loss.params.bins": "must be at least 2; got 0",
        "arms[2].loss.params.heat": (
            "unknown parameter; known are temperature, bins, side, bias, soft"
        ),
        "arms[2].loss.miner": "'siglip' takes no miner; leave it out",
        "arms[3].loss.distance.name": (
            "'pml.ProxyAnchorLoss' takes CosineSimilarity, LpDistance; got 'Lp'"
        ),
        "arms[4].loss.distance.params.p": "must be a number; got 'two'",
    }
    [(path, said)] = plugin_problems(small(arms=[arm("siglip")]), {})
    assert path == "arms[0].loss.name"
    assert "LOSSBOARD_LOSSES" in said


def test_data_of_two_modalities_need_a_loss_that_takes_them() -> None:
    two = {
        "data": {"kind": "spoken_digits"},
        "encoder": {"kind": "audio_convnet"},
        "visual_encoder": {"kind": "convnet"},
    }
    assert list(problems(arm("siglip"), **two)) == ["arms[0].loss.name"]
    assert problems(arm("pml.ProxyAnchorLoss"), **two) == {}


def test_a_stored_spec_says_all_and_numbers_are_numbers() -> None:
    spec = parse_spec(small(arms=[arm("siglip", params={"temperature": 2})]))
    loss = with_defaults(spec, KNOWN).arms[0].loss.model_dump(mode="json")
    assert loss == {
        "kind": "plugin",
        "name": "siglip",
        "params": {"temperature": 2.0, "bins": 10, "side": "left", "bias": None, "soft": False},
        "miner": None,
        "distance": None,
    }
    assert type(loss["params"]["temperature"]) is float
    ours = parse_spec(small())
    assert with_defaults(ours, KNOWN) is ours


def test_a_parameter_that_no_plugin_can_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"arms\[0\]\.loss\.params\.a: must be a number, a text"):
        parse_spec(small(arms=[arm("siglip", params={"a": [1]})]))
    with pytest.raises(ValueError, match="has 201 characters, more than 200"):
        parse_spec(small(arms=[arm("siglip", params={"a": "x" * 201})]))
    assert value_problem({"type": "number"}, float("inf")) == "must be a finite number; got inf"


def test_a_search_of_a_plugin_has_the_space_that_it_declares() -> None:
    raw = small(arms=[arm("siglip"), arm("pml.ProxyAnchorLoss")], tuning={"trials": 3}, seeds=[0])
    assert tuning_problems(raw, KNOWN) == []
    spec = completed(with_defaults(parse_spec(raw), KNOWN), KNOWN)
    searched = [set(one.search) for one in spec.arms]
    training = {"training.optimizer.lr", "training.optimizer.weight_decay"}
    assert searched[0] == {"loss.params.temperature", *training}
    assert searched[1] == {"training.optimizer.loss_lr", *training}
    made = trial_spec(spec, "siglip", {"loss.params.temperature": 0.5}, None)
    assert made.arms[0].loss.model_dump()["params"]["temperature"] == 0.5


def test_spaces_outside_a_plugins_parameters_are_refused() -> None:
    wrong = {
        "loss.params.temperature": {"low": -1.0, "high": 1.0},
        "loss.params.bins": {"low": 2, "high": 20},
        "loss.params.side": {"choices": ["up"]},
        "loss.params.heat": {"low": 0.1, "high": 1.0},
        "training.optimizer.loss_lr": {"low": 0.001, "high": 0.1},
    }
    raw = small(arms=[{**arm("siglip"), "search": wrong}], tuning={"trials": 3})
    found = dict(tuning_problems(raw, KNOWN))
    at = "arms[0].search"
    assert found[f"{at}.loss.params.temperature.low"] == "input should be greater than 0; got -1"
    assert "takes choices, not a range" in found[f"{at}.loss.params.bins"]
    assert "must be one of 'left', 'right'" in found[f"{at}.loss.params.side.choices[0]"]
    assert "names no setting that a search can vary" in found[f"{at}.loss.params.heat"]
    assert "which has no parameters" in found[f"{at}.training.optimizer.loss_lr"]
    fitting = {
        "loss.params.bins": {"choices": [4, 8]},
        "loss.params.side": {"choices": ["left", "right"]},
    }
    raw = small(arms=[{**arm("siglip"), "search": fitting}], tuning={"trials": 3})
    assert tuning_problems(raw, KNOWN) == []


def test_parameters_of_one_name_in_two_plugins_are_two_settings() -> None:
    other = entry("other")
    raw = small(
        arms=[
            arm("siglip", params={"temperature": 0.5}),
            arm("other", params={"temperature": 0.7}),
            {**arm("siglip", params={"temperature": 0.9}), "name": "warm"},
        ]
    )
    spec = with_defaults(parse_spec(raw), {**KNOWN, other.name: other})
    assert differences(spec, ("siglip", "other")) == []
    [found] = differences(spec, ("siglip", "warm"))
    assert (found.setting, found.words) == ("loss.params.temperature", "temperature of siglip")
    assert found.values == {"siglip": 0.5, "warm": 0.9}


def test_a_plugin_is_trained_alone() -> None:
    spec = parse_spec(small(arms=[arm("siglip")]))
    assert bundle_key(spec, spec.arms[0], 0, "cpu") is None


def test_the_catalogue_lists_what_can_be_used_like_our_losses() -> None:
    rows = {row["kind"]: row for row in loss_rows(KNOWN.values())}
    assert list(rows) == ["siglip", "pml.ProxyAnchorLoss"]
    row = rows["pml.ProxyAnchorLoss"]
    assert (row["label"], row["source"]) == ("ProxyAnchorLoss (pml)", "pml")
    assert list(row["schema"]["properties"]) == ["kind", "params.margin", "distance", "miner"]
    listed = {one["name"]: one for one in listed_plugins(KNOWN.values())}
    assert listed["broken"]["problem"] == "its gradient at the embeddings is not finite"
    found = {one["path"]: one for one in search_rows(PROXIES)}
    assert found["loss.miner.params.epsilon"]["where"] == {
        "loss.miner.kind": ["MultiSimilarityMiner"]
    }
    assert "training.optimizer.loss_lr" in found
    schema = {"properties": {"loss_lr": {"x-shown-with-losses": ["arcface"]}}}
    shown = with_trainable([schema], ["pml.ProxyAnchorLoss"])
    assert shown[0]["properties"]["loss_lr"]["x-shown-with-losses"] == [
        "arcface",
        "pml.ProxyAnchorLoss",
    ]
