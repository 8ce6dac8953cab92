"""Sweeps, and own training settings of arms, on the page of a new comparison with a real API."""

from typing import Any

import httpx

from contract.comparison.differences import differences
from contract.comparison.spec import parse_spec
from tests.support.form_page import opened, post, press, run, said, stored
from tests.support.specs import small

MARGIN = "new.arms.0.sweep.loss.margin"
LR = "new.arms.0.sweep.training.optimizer.lr"


def names(at: Any) -> list[str]:
    fields = {field.key: field.value for field in at.text_input}
    return [fields[key] for n in range(20) if (key := f"new.arms.{n}.name") in fields]


def swept(at: Any, path: str) -> Any:
    """The page with a setting in the sweep of the first arm."""
    at.selectbox(key="new_sweep_add_0").set_value(path)
    return run(at)


def test_a_setting_becomes_arms_and_back(http: httpx.Client) -> None:
    at = press(opened(http), "new_sweep_0")
    swept(at, "loss.margin")
    at.text_input(key=MARGIN).set_value("0.05...2 log, 5")
    run(at)
    assert "write “5 points”" in said(at)
    assert "new_sweep_replace_0" not in {button.key for button in at.button}
    at.text_input(key=MARGIN).set_value("0.05...2 log, 5 points")
    run(at)
    assert "Makes 5 arms" in said(at)
    made = [f"contrastive, margin {value}" for value in ("0.05", "0.13", "0.32", "0.8", "2")]
    assert all(f">{name}</li>" in said(at) for name in made)
    press(at, "new_start")
    assert "Arm 1, Sweep</b>: make its arms, or close the sweep" in said(at)
    assert stored(http) == []

    press(at, "new_sweep_replace_0")
    assert names(at) == [*made, "triplet"]
    assert "6 arms × 3 seeds = 18 runs" in said(at)
    press(at, "new_undo_sweep")
    assert names(at) == ["contrastive", "triplet"]
    assert at.text_input(key=MARGIN).value == "0.05...2 log, 5 points"
    assert "new_undo_sweep" not in {button.key for button in at.button}
    press(at, "new_sweep_keep_0")
    assert names(at) == ["contrastive", *made, "triplet"]
    press(at, "new_start")
    [spec] = stored(http)
    assert [arm["loss"]["margin"] for arm in spec["arms"]] == [1.0, 0.05, 0.13, 0.32, 0.8, 2, 1.0]


def test_several_settings_make_the_grid_and_too_many_arms_are_refused(http: httpx.Client) -> None:
    at = press(press(opened(http), "new_remove_arm_1"), "new_sweep_0")
    swept(at, "training.optimizer.lr")
    swept(at, "loss.selection")
    at.text_input(key=LR).set_value("0.001...0.1 log 7 points")
    at.multiselect(key="new.arms.0.sweep.loss.selection").set_value(["all", "sampled", "semi_hard"])
    run(at)
    assert "makes 7 × 3 = 21 arms; a comparison has at most 20. Leave out values" in said(at)
    at.text_input(key=LR).set_value("0, 0.01")
    run(at)
    assert "0 is too small: “Learning rate” must be above 0" in said(at)
    at.text_input(key=LR).set_value("0.001 0.01")
    run(at)
    press(at, "new_sweep_replace_0")
    assert names(at)[:2] == ["lr 0.001, selection all", "lr 0.001, selection sampled"]
    assert "the arms differ in tuples and optimiser" in said(at)
    press(at, "new_start")
    [spec] = stored(http)
    assert [arm["training"]["optimizer"]["lr"] for arm in spec["arms"]] == 3 * [0.001] + 3 * [0.01]
    assert {one.setting for one in differences(parse_spec(spec))} == {
        "loss.selection",
        "training.optimizer.lr",
    }


def test_twenty_arms_are_the_most(http: httpx.Client) -> None:
    arms = [{"name": f"{n}", "loss": {"kind": "triplet", "margin": n}} for n in range(20)]
    at = opened(http, **{"from": post(http, small(arms=arms))})
    for key in ("new_add_arm", "new_copy_arm_3"):
        assert at.button(key=key).disabled


def test_an_arm_gets_training_settings_of_its_own(http: httpx.Client) -> None:
    at = opened(http)
    assert "Shared with all arms: epochs 20, batch size 64, sampler " in said(at)
    for name in ("optimizer", "batch_size"):
        at.selectbox(key="new_own_training_1").set_value(name)
        run(at)
    own = "new.arms.1.training"
    assert at.number_input(key=f"{own}.optimizer.lr").value == 0.001, "at first as it is shared"
    at.selectbox(key=f"{own}.optimizer.kind").set_value("sgd")
    at.number_input(key=f"{own}.batch_size").set_value(2000)
    run(at)
    at.number_input(key=f"{own}.optimizer.momentum").set_value(0.5)
    run(at)
    assert "the arms differ in batch size and optimiser" in said(at)
    press(at, "new_start")
    assert ".st-key-new-arms-1-training-batch_size " in said(at), "the refused field is marked"
    at.number_input(key=f"{own}.batch_size").set_value(32)
    run(at)
    press(at, "new_start")
    [spec] = stored(http)
    assert (spec["arms"][0]["training"]["optimizer"], spec["training"]["batch_size"]) == (None, 64)
    training = spec["arms"][1]["training"]
    assert (training["batch_size"], training["epochs"]) == (32, None)
    assert training["optimizer"]["kind"] == "sgd"
    assert training["optimizer"]["momentum"] == 0.5


def test_the_arm_s_own_setting_is_the_one_that_is_swept_and_copied(http: httpx.Client) -> None:
    spec = small(name="origin")
    spec["arms"][0]["training"] = {"optimizer": {"kind": "sgd", "lr": 0.1, "momentum": 0.3}}
    at = opened(http, **{"from": post(http, spec)})
    press(at, "new_copy_arm_0")
    press(at, "new_sweep_0")
    swept(at, "training.optimizer.momentum")
    at.text_input(key="new.arms.0.sweep.training.optimizer.momentum").set_value("0 0.9")
    run(at)
    press(at, "new_sweep_replace_0")
    press(at, "new_start")
    made = [arm["training"]["optimizer"] for arm in stored(http)[0]["arms"]]
    assert [(one["lr"], one["momentum"]) for one in made] == [(0.1, 0.0), (0.1, 0.9), (0.1, 0.3)]
