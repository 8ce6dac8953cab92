"""Which measures an evaluation takes: all of them now and then, and those of an objective."""

from typing import Any

import pytest
import torch
from torch.nn import Identity

from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.metrics import METRICS
from contract.tuning.objectives import possible_objectives
from contract.tuning.specs import trial_spec
from tests.support.specs import small
from tests.worker.trainer.test_evaluation import evaluated, split
from worker.data import Dataset
from worker.reporting.reporter import ListReporter
from worker.trainer.families import ALL, CHEAP, families_at, families_of
from worker.trainer.training import Training


def spec_of(epochs: int, every: int, **changes: Any) -> ComparisonSpec:
    training = {"epochs": epochs, "batch_size": 64}
    return parse_spec(small(training=training, measure={"evaluate_every": every}, **changes))


@pytest.mark.parametrize(
    ("epochs", "every", "whole"),
    [
        (20, 1, [0, 5, 10, 15, 20]),
        (12, 1, [0, 5, 10, 12]),
        (3, 1, [0, 3]),
        (100, 5, [0, 25, 50, 75, 100]),
        (7, 3, [0, 7]),
        (1, 10_000, [0, 1]),
    ],
)
def test_all_measures_are_taken_at_the_first_the_last_and_every_fifth_evaluation(
    epochs: int, every: int, whole: list[int]
) -> None:
    spec = spec_of(epochs, every)
    evaluations = sorted({0, epochs, *range(0, epochs + 1, every)})
    assert [e for e in evaluations if families_at(spec, e, epochs) == ALL] == whole
    assert all(families_at(spec, e, epochs) == CHEAP for e in evaluations if e not in whole), (
        "retrieval, detail and what states are told by are measured each time"
    )


def test_a_run_has_its_series_of_all_measures_at_these_epochs_and_all_values_at_its_end() -> None:
    spec = spec_of(7, 1)
    reporter = ListReporter()
    Training(spec, spec.arms[0], 0, torch.device("cpu"), reporter).run(lambda: False)
    steps = reporter.total_steps // 7
    series = reporter.series
    for key in ("clustering.ami", "classification.knn_accuracy_1", "geometry.hubness"):
        assert [step // steps for step, _ in series[key]] == [0, 5, 7]
        assert f"test.{key}" in series
        assert f"test.last.{key}" in series
    for key in ("retrieval.map_at_r", "geometry.mean_cosine"):
        assert [step // steps for step, _ in series[key]] == list(range(8))


def paired() -> Dataset:
    parts = [split(range(5), visual=True, fine=True, each=6, seed=seed) for seed in range(3)]
    return Dataset(parts[0], parts[1], parts[2], 5)


def test_an_objective_s_families_measure_it_as_a_whole_evaluation_does() -> None:
    """Every metric that can be an objective, on data that have all of them."""
    evaluation = evaluated(paired(), Identity(), Identity())
    whole = evaluation.validation()
    objectives = [key for key in possible_objectives() if not key.startswith("pairs.")]
    assert set(objectives) <= set(whole)
    for objective in objectives:
        alone = evaluation.validation(families_of(objective))
        assert alone[objective] == whole[objective]
        assert alone.items() <= whole.items()
        assert len(alone) < len(whole)


def test_the_cheap_measures_have_the_values_of_a_whole_evaluation() -> None:
    evaluation = evaluated(paired(), Identity(), Identity())
    whole, cheap = evaluation.validation(), evaluation.validation(CHEAP)
    assert cheap.items() <= whole.items()
    assert {key.rpartition("geometry.")[2] for key in whole.keys() - cheap.keys()} == {
        "uniformity",
        "hubness",
        "distance_overlap",
        *(key for key in whole if key.startswith(("classification.", "clustering."))),
    }


def test_a_trial_takes_its_objective_s_family_at_every_evaluation() -> None:
    arms = [{"name": "triplet", "loss": {"kind": "triplet"}}]
    tuning = {"objective": "clustering.ami"}
    spec = trial_spec(spec_of(6, 1, arms=arms, tuning=tuning), "triplet", {}, None)
    assert {families_at(spec, epoch, 6) for epoch in range(7)} == {frozenset({"clustering"})}


def test_every_family_has_metrics() -> None:
    named = {families_of(key) for key in possible_objectives()}
    assert frozenset.union(*named) == ALL
    assert all(key in METRICS for key in possible_objectives())
