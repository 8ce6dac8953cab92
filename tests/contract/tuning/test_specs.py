"""The specs of trials and of final runs."""

from typing import Any

import pytest

from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.comparison.tuning import Fold, TrialRun
from contract.tuning.specs import final_spec, trial_spec, with_params
from tests.support.specs import small


def tuned(**changes: Any) -> ComparisonSpec:
    raw = {
        "tuning": {"trials": 3, "folds": 4, "trial_seeds": [7, 8]},
        "seeds": [0, 1],
        "replicate": "seed",
        "arms": [
            {"name": "triplet", "loss": {"kind": "triplet"}},
            {
                "name": "own",
                "loss": {"kind": "arcface", "margin": 0.3},
                "training": {"optimizer": {"kind": "sgd", "lr": 0.1}, "batch_size": 32},
            },
        ],
    }
    return parse_spec(small(**{**raw, **changes}))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("loss.margin", 0.25),
        ("loss.distance", "cosine"),
        ("loss.selection", "batch_hard"),
        ("loss.reduction", "sum"),
    ],
)
def test_a_setting_of_the_loss_is_put_in(path: str, value: Any) -> None:
    spec = tuned()
    arm = with_params(spec, spec.arms[0], {path: value})
    assert getattr(arm.loss, path.rpartition(".")[2]) == value
    assert arm.training == spec.arms[0].training, "what is not searched stays shared"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("training.epochs", 3),
        ("training.batch_size", 32),
        ("training.optimizer.lr", 0.5),
        ("training.optimizer.weight_decay", 0.5),
        ("training.optimizer.loss_lr", 0.5),
    ],
)
@pytest.mark.parametrize("name", ["triplet", "own"])
def test_a_training_setting_overrides_the_shared_one_and_the_arm_s(
    path: str, value: Any, name: str
) -> None:
    spec = tuned()
    before = spec.training_of(spec.arm(name)).model_dump()
    arm = with_params(spec, spec.arm(name), {path: value})
    after = spec.training_of(arm).model_dump()
    place = path.split(".")[1:]
    section = before
    for part in place[:-1]:
        section = section[part]
    section[place[-1]] = value
    assert after == before


def test_m_and_the_optimiser_s_kind_are_put_in() -> None:
    spec = tuned()
    kind = with_params(spec, spec.arms[1], {"training.optimizer.kind": "adam"})
    assert spec.training_of(kind).optimizer.model_dump() == {
        "kind": "adam",
        "lr": 0.1,
        "weight_decay": 0.0,
        "loss_lr": None,
    }
    back = with_params(spec, spec.arms[0], {"training.optimizer.kind": "sgd"})
    assert spec.training_of(back).optimizer.model_dump()["momentum"] == 0.9
    sampler = {"epochs": 8, "batch_size": 32, "sampler": {"kind": "m_per_class", "m": 8}}
    spec = tuned(training=sampler)
    arm = with_params(spec, spec.arms[0], {"training.sampler.m": 4})
    assert spec.training_of(arm).sampler.model_dump() == {"kind": "m_per_class", "m": 4}


def test_a_trial_s_spec_has_one_arm_and_its_own_seeds() -> None:
    spec = tuned(practical={"retrieval.": 0.02})
    trial = trial_spec(spec, "own", {"loss.margin": 0.1}, 2)
    assert parse_spec(trial.model_dump(mode="json")) == trial
    assert [arm.name for arm in trial.arms] == ["own"]
    assert trial.seeds == [7, 8]
    assert trial.tuning is None
    assert trial.trial == TrialRun(objective="retrieval.map_at_r", fold=Fold(number=2, of=4))
    assert trial.data == spec.data
    assert trial_spec(spec, "own", {}, None).trial == TrialRun(objective="retrieval.map_at_r")


def test_the_default_trial_is_the_arm_as_it_is_written() -> None:
    spec = tuned()
    for arm in spec.arms:
        assert trial_spec(spec, arm.name, {}, 0).arms == [arm.model_copy(update={"search": {}})]


def test_a_final_run_without_folds_is_an_ordinary_run_of_the_best_setting() -> None:
    spec = tuned(tuning={"trials": 3})
    final = final_spec(spec, "triplet", {"loss.margin": 0.1})
    assert final.seeds == spec.seeds
    assert final.trial is None
    assert final.data == spec.data
    assert spec.training_of(final.arms[0]).epochs == spec.training.epochs
    assert not final.tests_last_epoch


@pytest.mark.parametrize(
    "data",
    [
        {"kind": "digits"},
        {"kind": "cub200"},
        {"kind": "cub200", "validation": "items"},
        {"kind": "features", "dataset": "x", "split": "class"},
    ],
)
def test_a_final_run_with_folds_stops_at_their_epoch_and_tests_there(data: dict[str, Any]) -> None:
    encoder = {"encoder": {"kind": "convnet"}} if data["kind"] == "cub200" else {}
    spec = tuned(data=data, **encoder)
    final = final_spec(spec, "own", {"loss.margin": 0.1}, epochs=5)
    assert parse_spec(final.model_dump(mode="json")) == final
    assert final.training_of(final.arms[0]).epochs == 5
    assert final.training_of(final.arms[0]).batch_size == 32
    assert final.tests_last_epoch
    assert getattr(final.data, "validation", "items") == "items"
