"""The ready-made spaces: all that is drawn from them is valid, and they come back as they were."""

import random
from itertools import product
from typing import Any

import pytest

from contract.catalogue.catalogue import LOSSES
from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.comparison.tuning import Choices, Range, Value
from contract.comparison.tuple_checks import TUPLES_ONLY
from contract.tuning.draws import settled, value_of
from contract.tuning.problems import tuning_problems
from contract.tuning.spaces import completed, default_space
from contract.tuning.specs import final_spec, trial_spec, with_params
from tests.support.specs import small

KINDS = [row.kind for row in LOSSES if row.kind not in TUPLES_ONLY]
DATA: list[dict[str, Any]] = [
    {"kind": "digits"},
    {"kind": "cub200"},
    {"kind": "cub200", "split": "item"},
    {"kind": "synthetic", "classes": 3},
    {"kind": "features", "dataset": "x", "split": "class"},
    {"kind": "mnist", "train_items": 1000},
]
SAMPLERS: list[dict[str, Any]] = [
    {"kind": "shuffle"},
    {"kind": "m_per_class", "m": 8},
    {"kind": "m_per_class", "m": 16},
]


def tuned(losses: list[dict[str, Any]], **changes: Any) -> ComparisonSpec:
    arms = [{"name": f"arm {index}", "loss": loss} for index, loss in enumerate(losses)]
    return parse_spec(small(**{"arms": arms, "tuning": {}, **changes}))


def every_loss() -> list[dict[str, Any]]:
    return [
        *({"kind": kind} for kind in KINDS),
        {"kind": "contrastive", "reduction": "balanced"},
        {"kind": "contrastive", "distance": "cosine", "hinge": "linear", "positive_margin": 0.05},
    ]


def draws(search: Any, count: int = 150) -> list[dict[str, Value]]:
    """Return draws of uniform shares, and those of all corners."""
    stream = random.Random(1)
    corners = product((0.0, 1 - 2**-53), repeat=len(search))
    uniform = ([stream.random() for _ in search] for _ in range(count))
    return [
        {
            path: value_of(path, space, share)
            for (path, space), share in zip(search.items(), shares, strict=True)
        }
        for shares in (*corners, *uniform)
    ]


@pytest.mark.parametrize("data", DATA, ids=lambda one: "-".join(map(str, one.values())))
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_draw_of_every_ready_made_space_is_a_valid_spec(
    data: dict[str, Any], optimizer: str
) -> None:
    for sampler in SAMPLERS:
        training = {"batch_size": 48, "sampler": sampler, "optimizer": {"kind": optimizer}}
        if sampler == SAMPLERS[1] and data == {"kind": "synthetic", "classes": 3}:
            training["batch_size"] = 24
        encoder = {"encoder": {"kind": "convnet"}} if data["kind"] in {"cub200", "mnist"} else {}
        spec = completed(tuned(every_loss(), data=data, training=training, **encoder))
        whole = spec.model_dump(mode="json")
        assert tuning_problems(whole) == []
        assert parse_spec(whole) == spec
        for arm in spec.arms:
            for params in draws(arm.search, 12):
                fitting = settled(params, arm.search)
                assert settled(fitting, arm.search) == fitting
                for path, value in fitting.items():
                    space = arm.search[path]
                    if isinstance(space, Range):
                        assert isinstance(value, float)
                        assert space.low <= value <= space.high
                    else:
                        assert value in space.choices
                trial = trial_spec(spec, arm.name, fitting, None).model_dump(mode="json")
                assert parse_spec(trial).arms[0] == with_params(spec, arm, fitting)
                for path in fitting:
                    section, _, name = path.rpartition(".")
                    stood = trial["arms"][0]
                    for part in section.split("."):
                        stood = stood[part]
                    assert stood[name] == fitting[path]


@pytest.mark.parametrize("kind", KINDS)
def test_every_loss_has_a_space_of_its_own_settings(kind: str) -> None:
    space = default_space(kind)
    assert any(path.startswith("loss.") for path in space)
    assert {"training.optimizer.lr", "training.optimizer.weight_decay"} < space.keys()
    assert ("training.optimizer.loss_lr" in space) == (kind in {"arcface", "center_contrastive"})


def test_a_space_leaves_out_what_has_no_effect() -> None:
    plain, balanced = completed(tuned([{"kind": "contrastive"}, every_loss()[-2]])).arms
    assert "loss.pull_weight" not in plain.search
    assert "loss.pull_weight" in balanced.search
    assert "training.sampler.m" not in plain.search


@pytest.mark.parametrize(
    ("data", "size", "m", "choices"),
    [
        ({"kind": "digits"}, 64, 8, None),  # 64 / 4 are 16 classes, and there are 10
        ({"kind": "digits"}, 32, 8, [4, 8]),
        ({"kind": "digits"}, 16, 8, [2, 4, 8]),
        ({"kind": "digits"}, 8, 4, [2, 4]),  # 8 / 8 is one class a batch
        ({"kind": "digits"}, 20, 4, [2, 4]),  # 8 does not divide 20
        ({"kind": "cub200"}, 32, 4, [2, 4, 8]),
        ({"kind": "features", "dataset": "x"}, 32, 4, [4, 8]),  # classes are not known
    ],
)
def test_items_a_class_fit_the_batch_and_the_classes(
    data: dict[str, Any], size: int, m: int, choices: list[int] | None
) -> None:
    training = {"batch_size": size, "sampler": {"kind": "m_per_class", "m": m}}
    encoder = {"encoder": {"kind": "convnet"}} if data["kind"] == "cub200" else {}
    [arm] = completed(tuned([{"kind": "triplet"}], data=data, training=training, **encoder)).arms
    found = arm.search.get("training.sampler.m")
    assert (found.choices if isinstance(found, Choices) else None) == choices


def test_only_arms_without_a_space_of_a_tuned_comparison_get_one() -> None:
    own = {"loss.margin": Range(low=0.1, high=0.2)}
    spec = tuned([{"kind": "triplet"}, {"kind": "triplet"}])
    first = spec.arms[0].model_copy(update={"search": own})
    spec = spec.model_copy(update={"arms": [first, spec.arms[1]]})
    filled = completed(spec)
    assert filled.arms[0] == first
    assert filled.arms[1].search
    assert completed(filled) == filled
    untuned = spec.model_copy(update={"tuning": None})
    assert completed(untuned) == untuned


def test_the_settings_of_an_arm_s_own_training_decide_its_space() -> None:
    arms = [
        {
            "name": "sgd",
            "loss": {"kind": "triplet"},
            "training": {
                "optimizer": {"kind": "sgd"},
                "sampler": {"kind": "m_per_class", "m": 8},
                "batch_size": 32,
            },
        }
    ]
    [arm] = completed(parse_spec(small(arms=arms, tuning={}))).arms
    assert arm.search["training.optimizer.lr"] == Range(low=1e-3, high=1.0, log=True)
    assert arm.search["training.sampler.m"] == Choices(choices=[4, 8])


def test_a_final_spec_of_every_loss_is_valid() -> None:
    spec = completed(tuned(every_loss()))
    for arm in spec.arms:
        for params in draws(arm.search, 5):
            final = final_spec(spec, arm.name, settled(params, arm.search))
            assert parse_spec(final.model_dump(mode="json")) == final
