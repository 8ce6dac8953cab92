"""Claimed runs that train together end one by one, as they would alone."""

import math
from collections.abc import Callable

import pytest

from contract.comparison.spec import ComparisonSpec
from tests.support.bundles import CPU, spec_of, train_bundle, values_of
from worker import machine
from worker.api.client import Claim
from worker.errors import MemoryEstimateError
from worker.reporting.reporter import ListReporter
from worker.snapshots import Checkpoint, NoKeeper
from worker.trainer import checkpoint
from worker.trainer.bundle_attempt import ClaimedRun, run_bundle

TRIPLET = {"kind": "triplet", "margin": 0.3}
SPEC = spec_of(TRIPLET)


class Keeping(NoKeeper):
    """Keeps checkpoints, and notes how it was closed."""

    def __init__(self) -> None:
        self.kept: list[Checkpoint] = []
        self.closed: list[bool] = []

    def ready_for_checkpoint(self) -> bool:
        return True

    def keep_checkpoint(self, checkpoint: Checkpoint) -> None:
        self.kept.append(checkpoint)

    def close(self, *, with_checkpoint: bool = False) -> None:
        self.closed.append(with_checkpoint)


def claimed(
    spec: ComparisonSpec = SPEC, seed: int = 0, cancelled: Callable[[], bool] = lambda: False
) -> ClaimedRun:
    claim = Claim(
        run=f"run {seed}",
        attempt=1,
        lease_s=30,
        comparison="comparison",
        arm="arm",
        seed=seed,
        spec=spec.model_dump(mode="json"),
    )
    return ClaimedRun(claim, ListReporter(), cancelled, Keeping())


def report_of(run: ClaimedRun) -> ListReporter:
    assert isinstance(run.reporter, ListReporter)
    return run.reporter


def test_each_run_ends_by_itself() -> None:
    wild = spec_of(TRIPLET, {"optimizer": {"kind": "adam", "lr": 100, "weight_decay": 100}})
    steps = 0

    def soon() -> bool:
        nonlocal steps
        steps += 1
        return steps > 10

    runs = [claimed(seed=0), claimed(wild, seed=1), claimed(seed=2, cancelled=soon)]
    ended: list[int] = []
    assert run_bundle(runs, CPU, ended=ended.append) == []
    states = [report_of(run).state for run in runs]
    assert states[0] == "succeeded"
    assert states[2] == "cancelled"
    assert sorted(ended) == [0, 1, 2]
    assert [run.keeper.closed for run in runs] == [[False]] * 3  # type: ignore[attr-defined]
    [alone], _ = train_bundle([(SPEC, 0)])
    assert values_of(report_of(runs[0])) == values_of(alone)


def test_a_run_that_diverges_fails_with_its_step_and_cause() -> None:
    wild = spec_of(TRIPLET, {"optimizer": {"kind": "sgd", "lr": 50, "weight_decay": 50}})
    tame = spec_of(TRIPLET, {"optimizer": {"kind": "sgd", "lr": 0.01}})
    runs = [claimed(wild, seed=0), claimed(tame, seed=1)]
    run_bundle(runs, CPU)
    failed = report_of(runs[0])
    assert failed.state == "failed"
    assert failed.failure is not None
    assert failed.failure.step
    assert failed.failure.cause
    assert "weight decay" in failed.failure.cause
    assert report_of(runs[1]).state == "succeeded"


def test_a_run_cancelled_before_the_first_step_ends_alone() -> None:
    runs = [claimed(seed=0, cancelled=lambda: True), claimed(seed=1)]
    run_bundle(runs, CPU)
    assert [report_of(run).state for run in runs] == ["cancelled", "succeeded"]


def test_what_fails_for_all_is_told_to_all() -> None:
    runs = [claimed(spec_of(TRIPLET, {"batch_size": 255, "epochs": 1}), seed) for seed in (0, 1)]
    broken = [
        run._replace(claim=run.claim.model_copy(update={"spec": {"name": "not a spec"}}))
        for run in runs
    ]
    run_bundle(broken, CPU)
    for run in broken:
        failure = report_of(run).failure
        assert failure is not None
        assert "cannot read the comparison's spec" in failure.message


def test_runs_that_do_not_fit_together_train_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check = machine.check_memory

    def limited(needs: dict[str, int], *rest: object, **options: object) -> None:
        if "gradients and optimiser" in needs and needs["gradients and optimiser"] > 60_000:
            raise MemoryEstimateError("too much")
        check(needs, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(machine, "check_memory", limited)
    runs = [claimed(seed=seed) for seed in (0, 1, 2)]
    run_bundle(runs, CPU)
    assert [report_of(run).state for run in runs] == ["succeeded"] * 3
    together, _ = train_bundle([(SPEC, 1)])
    assert values_of(report_of(runs[1])) == values_of(together[0])


def test_runs_are_given_back_with_their_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoint, "MAX_TIME_SHARE", math.inf)
    asked = 0

    def stopping() -> bool:
        nonlocal asked
        asked += 1
        return asked > 30

    runs = [claimed(seed=seed) for seed in (0, 1)]
    assert run_bundle(runs, CPU, checkpoint_s=1e9, worker_stopping=stopping) == [0, 1]
    for run in runs:
        assert report_of(run).state is None
        assert isinstance(run.keeper, Keeping)
        assert run.keeper.closed == [True]
        assert len(run.keeper.kept) == 1
