"""Settings of trials written into the arms of a spec."""

from typing import Any

import pytest

from contract.catalogue.catalogue import catalogue
from contract.comparison.spec import parse_spec
from contract.tuning.specs import with_params
from frontend.comparison.tuning.use_arm import arm_with_params, spec_with_trial
from tests.support.searches import search
from tests.support.tuned import tuned

CATALOGUE: Any = catalogue()
PARAMS: list[dict[str, Any]] = [
    {},
    {"loss.margin": 0.5},
    {"training.optimizer.lr": 0.01, "training.optimizer.weight_decay": 0.001},
    {"training.batch_size": 32, "training.epochs": 3, "loss.selection": "semi_hard"},
    {"training.optimizer.kind": "sgd", "training.optimizer.lr": 0.5},
    {"training.optimizer.kind": "adam", "training.sampler.m": 16},
]


@pytest.mark.parametrize("params", PARAMS)
@pytest.mark.parametrize(
    "own",
    [
        {},
        {"optimizer": {"kind": "sgd", "momentum": 0.5}},
        {"sampler": {"kind": "m_per_class", "m": 8}},
    ],
)
def test_an_arm_gets_the_settings_that_the_trainer_of_the_trial_had(
    params: dict[str, Any], own: dict[str, Any]
) -> None:
    if "training.sampler.m" in params and "sampler" not in own:
        return
    arm = {"name": "a", "loss": {"kind": "triplet"}, "training": own}
    spec = parse_spec(tuned(arms=[arm]))
    written = arm_with_params(
        spec.model_dump(mode="json"), spec.model_dump(mode="json")["arms"][0], params, CATALOGUE
    )
    expected = with_params(spec, spec.arms[0], params)
    made = parse_spec(tuned(arms=[written]))
    assert made.arms[0].loss == expected.loss
    assert made.training_of(made.arms[0]) == spec.training_of(expected)
    assert made.arms[0].training == expected.training


def spec_of_search() -> Any:
    arms = [
        {"name": name, "loss": {"kind": name}, "search": {"loss.margin": {"low": 0.1, "high": 2}}}
        for name in ("contrastive", "triplet")
    ]
    return parse_spec(tuned(arms=arms)).model_dump(mode="json")


def test_each_arm_gets_its_best_settings_and_the_search_is_gone() -> None:
    found: Any = search()
    made = spec_with_trial(spec_of_search(), found, CATALOGUE)
    assert "tuning" not in made
    spec = parse_spec(made)
    assert [arm.loss.margin for arm in spec.arms] == pytest.approx([0.2, 0.3])  # type: ignore[union-attr]
    assert not any(arm.search for arm in spec.arms)


def test_one_arm_gets_the_settings_of_a_chosen_trial() -> None:
    found: Any = search()
    made = spec_with_trial(spec_of_search(), found, CATALOGUE, arm="triplet", trial=5)
    assert [arm["loss"]["margin"] for arm in made["arms"]] == pytest.approx([0.2, 0.5])
    written = spec_with_trial(spec_of_search(), found, CATALOGUE, arm="triplet", trial=0)
    assert written["arms"][1]["loss"]["margin"] == 1.0
    for arm, number in (("triplet", 6), ("other", 0)):
        with pytest.raises(KeyError):
            spec_with_trial(spec_of_search(), found, CATALOGUE, arm=arm, trial=number)
