"""The arms that a sweep makes."""

from typing import Any

import pytest

from contract.comparison.spec import MAX_ARM_NAME, MAX_ARMS, parse_spec
from frontend.form.sweep.arms import check_count, swept_arms
from frontend.form.sweep.settings import sweep_settings
from frontend.form.sweep.values import SweepError
from frontend.form.to_spec import arm_values, put_arms, write_spec
from tests.support.form_fields import FORM, filled
from tests.support.specs import small

LR = "training.optimizer.lr"


def values_of(loss: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return filled(small(arms=[{"name": "a", "loss": loss}], **changes))


def made(
    values: dict[str, Any], swept: dict[str, list[Any]], taken: tuple[str, ...] = ()
) -> tuple[list[str], list[Any]]:
    """The names of the arms, and the arms of the spec."""
    found = swept_arms(arm_values(values, 0), swept, values, FORM, taken=taken)
    spec = write_spec(put_arms(values, 0, [one.values for one in found], keep=False), FORM)
    parse_spec(spec)
    return [one.values["name"] for one in found], spec["arms"]


def test_each_value_makes_an_arm_that_is_named_by_it() -> None:
    names, arms = made(values_of({"kind": "triplet"}), {"loss.margin": [0.05, 0.2, 1.0]})
    assert names == ["margin 0.05", "margin 0.2", "margin 1"]
    assert [arm["loss"]["margin"] for arm in arms] == [0.05, 0.2, 1.0]
    assert all("training" not in arm for arm in arms)


def test_several_settings_make_all_combinations() -> None:
    names, arms = made(values_of({"kind": "triplet"}), {"loss.margin": [0.1, 0.5], LR: [0.01, 0.1]})
    assert names == [
        "margin 0.1, lr 0.01",
        "margin 0.1, lr 0.1",
        "margin 0.5, lr 0.01",
        "margin 0.5, lr 0.1",
    ]
    optimizers = [arm["training"].pop("optimizer") for arm in arms]
    assert [(one["kind"], one["lr"]) for one in optimizers] == 2 * [("adam", 0.01), ("adam", 0.1)]
    assert all(arm["training"] == {} for arm in arms), "nothing else became the arm's own"


def test_an_own_training_setting_keeps_what_is_not_swept() -> None:
    values = values_of({"kind": "triplet"}, training={"optimizer": {"kind": "adam", "lr": 0.5}})
    values |= {
        "arms.0.training": ("optimizer",),
        "arms.0.training.optimizer.kind": "sgd",
        "arms.0.training.optimizer.momentum": 0.3,
    }
    _, arms = made(values, {LR: [0.1, 0.2]})
    assert [arm["training"]["optimizer"]["momentum"] for arm in arms] == [0.3, 0.3]


def test_choices_and_kinds_are_named_by_their_labels() -> None:
    names, arms = made(
        values_of({"kind": "contrastive"}),
        {"loss.reduction": ["mean_active", "sum"], "training.sampler.kind": ["shuffle"]},
    )
    assert names[0].startswith("reduction mean active, sampler ")
    assert [arm["loss"]["reduction"] for arm in arms] == ["mean_active", "sum"]
    assert [arm["training"]["sampler"]["kind"] for arm in arms] == ["shuffle", "shuffle"]


def test_combinations_that_differ_in_nothing_make_one_arm() -> None:
    values = values_of({"kind": "contrastive", "reduction": "balanced"})
    names, _ = made(
        values, {"loss.reduction": ["mean", "balanced"], "loss.pull_weight": [0.1, 0.9]}
    )
    assert names == [
        "reduction mean",
        "reduction balanced, pull weight 0.1",
        "reduction balanced, pull weight 0.9",
    ]


def test_beside_other_arms_the_arm_s_name_comes_first_and_names_are_unique() -> None:
    names, _ = made(values_of({"kind": "triplet"}), {"loss.margin": [0.1, 0.2]}, ("b",))
    assert names == ["a, margin 0.1", "a, margin 0.2"]
    names, _ = made(values_of({"kind": "triplet"}), {"loss.margin": [0.1]}, ("a, margin 0.1",))
    assert names == ["a, margin 0.1 2"]


def test_long_names_are_cut_before_what_differs() -> None:
    values = values_of({"kind": "triplet"})
    values["arms.0.name"] = "n" * MAX_ARM_NAME
    names, _ = made(values, {"loss.margin": [0.1, 0.2]}, ("b",))
    assert all(len(name) == MAX_ARM_NAME for name in names)
    assert [name[-13:] for name in names] == ["…, margin 0.1", "…, margin 0.2"]


def test_too_many_arms_are_refused_with_their_number() -> None:
    check_count({"loss.margin": [0.0] * MAX_ARMS}, 0, FORM)
    with pytest.raises(SweepError, match=r"makes 21 arms; a comparison has at most 20\. Leave out"):
        check_count({"loss.margin": [0.0] * 21}, 0, FORM)
    with pytest.raises(SweepError, match=r"5 × 4 = 20 arms, 21 with the other 1; .*remove other"):
        check_count({"loss.margin": [0.0] * 5, LR: [0.0] * 4}, 1, FORM)


def test_what_is_swept_is_not_searched_too() -> None:
    search = {"loss.margin": {"low": 0.1, "high": 1.0}, LR: {"low": 0.001, "high": 0.1}}
    spec = small(arms=[{"name": "a", "loss": {"kind": "triplet"}, "search": search}], tuning={})
    _, arms = made(filled(spec), {"loss.margin": [0.1, 0.2]})
    assert [list(arm["search"]) for arm in arms] == [[LR], [LR]]
    with pytest.raises(SweepError, match="searches this arm over nothing else"):
        made(filled(spec), {"loss.margin": [0.1, 0.2], LR: [0.1, 0.2]})


@pytest.mark.parametrize(
    "option", [one for one in FORM.loss.options if one.classes], ids=lambda option: option.kind
)
def test_every_setting_that_can_be_swept_makes_a_valid_spec(option: Any) -> None:
    values = values_of({"kind": option.kind}, training={"batch_size": 32})
    settings = sweep_settings(arm_values(values, 0), values, FORM)
    assert {"training.epochs", "training.batch_size", "training.optimizer.kind", LR} <= set(
        settings
    )
    assert not {"training.augmentation", "training.precision"} & set(settings)
    for path, setting in settings.items():
        several = list(setting.item.options) or ([16, 32] if path.endswith("size") else [0.3, 0.4])
        if setting.item.type == "integer" and not path.endswith("size"):
            several = [2, 4]
        names, _ = made(values, {path: several})
        assert len(set(names)) == len(several)
