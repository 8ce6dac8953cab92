"""Settings in which arms differ."""

from typing import Any

import pytest

from contract.comparison.differences import Difference, differences, setting_words
from contract.comparison.spec import parse_spec
from tests.support.specs import small

Arm = dict[str, Any]


def arm(name: str, kind: str, training: Arm | None = None, **loss: Any) -> Arm:
    return {"name": name, "loss": {"kind": kind, **loss}, "training": training or {}}


def found(*arms: Arm, only: tuple[str, ...] = ()) -> dict[str, dict[str, Any]]:
    spec = parse_spec(small(arms=list(arms)))
    return {d.setting: dict(d.values) for d in differences(spec, only)}


def test_name_and_kind_of_loss_are_no_differences() -> None:
    assert found(arm("c", "contrastive"), arm("t", "triplet")) == {}
    assert found(arm("only", "triplet")) == {}


def test_settings_of_both_losses() -> None:
    assert found(
        arm("c", "contrastive", margin=1.0, selection="sampled"),
        arm("t", "triplet", margin=0.2, reduction="sum"),
    ) == {
        "loss.margin": {"c": 1.0, "t": 0.2},
        "loss.selection": {"c": "sampled", "t": "all"},
        "loss.reduction": {"c": "mean", "t": "sum"},
    }


def test_a_setting_only_some_losses_have_is_no_difference() -> None:
    assert found(arm("t", "triplet", margin=0.2), arm("n", "info_nce", temperature=0.3)) == {}
    assert found(
        arm("t", "triplet"), arm("i", "info_nce"), arm("s", "sup_con", temperature=0.2)
    ) == {"loss.temperature": {"i": 0.1, "s": 0.2}}


def test_a_setting_without_an_effect_is_no_difference() -> None:
    plain, other = arm("a", "contrastive"), arm("b", "contrastive", pull_weight=0.2)
    assert found(plain, other) == {}
    other["loss"] |= {"reduction": "balanced", "hinge": "linear"}
    assert found(plain, other) == {
        "loss.reduction": {"a": "mean", "b": "balanced"},
        "loss.hinge": {"a": "squared", "b": "linear"},
    }
    balanced = arm("c", "contrastive", reduction="balanced")
    assert found(balanced, other)["loss.pull_weight"] == {"c": 0.5, "b": 0.2}
    assert "loss.reduction" in found(plain, balanced)
    assert found(balanced, arm("t", "triplet")) == {}
    assert "loss.reduction" in found(balanced, arm("t", "triplet", reduction="mean_active"))
    fast = {"optimizer": {"kind": "adam", "loss_lr": 0.1}}
    assert found(arm("t", "triplet"), arm("s", "sup_con", fast)) == {}
    assert found(arm("f", "arcface"), arm("z", "center_contrastive", fast)) == {
        "training.optimizer.loss_lr": {"f": None, "z": 0.1}
    }


def test_the_angle_of_arcface_is_not_the_margin_of_a_distance() -> None:
    assert found(arm("t", "triplet", margin=0.2), arm("f", "arcface", margin=0.5)) == {}
    assert found(arm("n", "n_pair", scale=2.0), arm("f", "arcface", scale=16.0)) == {}  # nor scales


def test_training_settings_count_as_they_take_effect() -> None:
    assert found(arm("a", "triplet"), arm("b", "triplet", {"epochs": 8})) == {}  # shared
    assert found(
        arm("a", "triplet"),
        arm(
            "b",
            "triplet",
            {
                "batch_size": 32,
                "sampler": {"kind": "m_per_class", "m": 4},
                "optimizer": {"kind": "sgd", "lr": 0.01},
            },
        ),
    ) == {
        "training.batch_size": {"a": 64, "b": 32},
        "training.sampler.kind": {"a": "shuffle", "b": "m_per_class"},
        "training.optimizer.lr": {"a": 0.001, "b": 0.01},
        "training.optimizer.kind": {"a": "adam", "b": "sgd"},
    }


def test_only_the_arms_asked_for() -> None:
    arms = arm("a", "triplet"), arm("b", "contrastive"), arm("c", "triplet", margin=0.3)
    assert found(*arms, only=("a", "b")) == {}
    assert found(*arms, only=("c", "a")) == {"loss.margin": {"c": 0.3, "a": 1.0}}
    with pytest.raises(KeyError):
        found(*arms, only=("a", "x"))


def test_as_data() -> None:
    spec = parse_spec(small(arms=[arm("a", "triplet"), arm("b", "triplet", margin=2.0)]))
    assert differences(spec) == [Difference("loss.margin", "margin", {"a": 1.0, "b": 2.0})]


def test_settings_are_named_in_words() -> None:
    assert setting_words("loss.pull_weight", "Pull weight") == "pull weight"
    assert setting_words("training.optimizer.kind", "kind") == "optimiser"
    assert setting_words("training.sampler.kind", "kind") == "sampler"
