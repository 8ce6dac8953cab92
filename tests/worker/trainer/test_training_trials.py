"""Runs of trials, and final runs of a search with folds."""

from typing import Any

import pytest
import torch

from contract.comparison.spec import ComparisonSpec, parse_spec
from contract.tuning.specs import final_spec, trial_spec
from tests.support.specs import small
from worker.reporting.reporter import ListReporter
from worker.snapshots import NoKeeper
from worker.trainer.checkpoint import training_identity
from worker.trainer.training import Training

CPU = torch.device("cpu")
SETTING = {"loss.margin": 0.2, "training.optimizer.lr": 0.01}


class Recorder(NoKeeper):
    """Counts snapshots."""

    def __init__(self) -> None:
        self.snapshots = 0

    def keep_snapshot(self, *_: Any) -> None:
        self.snapshots += 1


def tuned(**tuning: Any) -> ComparisonSpec:
    arms = [{"name": "triplet", "loss": {"kind": "triplet"}}]
    training = {"epochs": 3, "batch_size": 64}
    return parse_spec(small(arms=arms, training=training, tuning={"trials": 2, **tuning}))


def trained(spec: ComparisonSpec) -> tuple[ListReporter, Recorder, Training]:
    reporter, keeper = ListReporter(), Recorder()
    training = Training(spec, spec.arms[0], spec.seeds[0], CPU, reporter, keeper=keeper)
    assert training.run(lambda: False) == "succeeded"
    del reporter.series["run.elapsed_s"]
    return reporter, keeper, training


@pytest.mark.parametrize("fold", [None, 0, 3])
def test_a_trial_never_sees_the_test_split(fold: int | None) -> None:
    spec = trial_spec(tuned(folds=1 if fold is None else 4), "triplet", SETTING, fold)
    reporter, keeper, training = trained(spec)
    assert not [key for key in reporter.series if "test." in key]
    assert len(training.member.data.test) == 0
    assert reporter.splits["test"] == 0
    assert keeper.snapshots == 0
    evaluated = {key for key in reporter.series if not key.startswith("dynamics.")}
    assert "retrieval.map_at_r" in evaluated
    assert all(key.startswith("retrieval.") for key in evaluated)
    steps = reporter.splits["train"] // 64
    assert [step for step, _ in reporter.series["retrieval.map_at_r"]] == [
        0,
        steps,
        2 * steps,
        3 * steps,
    ]


def test_a_trial_without_folds_is_trained_like_an_ordinary_run_of_its_setting() -> None:
    spec = tuned()
    ordinary = final_spec(spec, "triplet", SETTING).model_copy(update={"seeds": [1000]})
    of_trial = trained(trial_spec(spec, "triplet", SETTING, None))[0].series
    of_run = trained(ordinary)[0].series
    assert of_trial.items() <= of_run.items()
    assert {key for key in of_run if key.startswith("dynamics.")} <= of_trial.keys()


def test_another_objective_is_measured_instead() -> None:
    spec = trial_spec(tuned(objective="classification.knn_accuracy_1"), "triplet", {}, None)
    series = trained(spec)[0].series
    assert len(series["classification.knn_accuracy_1"]) == 4
    assert not [key for key in series if key.startswith(("retrieval.", "geometry."))]


def test_folds_train_and_validate_on_different_items_and_have_checkpoints_of_their_own() -> None:
    spec = tuned(folds=4)
    runs = [trained(trial_spec(spec, "triplet", SETTING, fold)) for fold in (0, 1)]
    first, second = (training.member.data for _, _, training in runs)
    assert not torch.equal(first.validation.items, second.validation.items)
    identities = {
        training_identity(one, one.arms[0], 1000, CPU)
        for one in (
            trial_spec(spec, "triplet", SETTING, 0),
            trial_spec(spec, "triplet", SETTING, 1),
            trial_spec(tuned(), "triplet", SETTING, None),
            final_spec(spec, "triplet", SETTING),
        )
    }
    assert len(identities) == 4


def test_final_runs_after_folds_read_the_test_split_at_the_last_epoch_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A measure that falls, so that an ordinary run would choose the first epoch.
    monkeypatch.setattr(
        "worker.trainer.member.objective_of", lambda shape: "geometry.variance_ratio"
    )
    spec = tuned(folds=4)
    reporter, keeper, _ = trained(final_spec(spec, "triplet", SETTING, epochs=4))
    last = reporter.total_steps
    assert last == 4 * (reporter.splits["train"] // 64)
    assert reporter.series["test.retrieval.map_at_r"][0][0] == last
    for key, points in reporter.series.items():
        if key.startswith("test.last."):
            assert points == reporter.series[f"test.{key.removeprefix('test.last.')}"]
    assert keeper.snapshots
    without = trained(final_spec(tuned(), "triplet", SETTING))[0]
    assert without.series["test.retrieval.map_at_r"][0][0] < without.total_steps
