"""Claimed runs that train together end one by one, as they would alone."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch

from contract.comparison.spec import ComparisonSpec
from tests.support.bundles import CPU, spec_of, train_bundle, values_of
from worker import machine
from worker.api.client import Claim
from worker.errors import BlobLostError, CancelledError, MemoryEstimateError
from worker.reporting.reporter import ListReporter
from worker.snapshots import Checkpoint, NoKeeper
from worker.trainer import checkpoint
from worker.trainer.attempt import run_attempt
from worker.trainer.bundle import BundleOfOne
from worker.trainer.bundle_attempt import ClaimedRun, run_bundle
from worker.trainer.member import Member
from worker.trainer.training import Training

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


@pytest.mark.parametrize(("device", "kind"), [("cpu", "BundleOfOne"), ("cuda", "Training")])
def test_a_run_on_a_gpu_is_trained_by_autograd(
    device: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chosen(name: str) -> Callable[..., None]:
        def build(*_: object, **__: object) -> None:
            raise MemoryEstimateError(name)

        return build

    for way in (BundleOfOne, Training):
        monkeypatch.setattr(way, "__init__", chosen(way.__name__))
    run = claimed()
    run_attempt(run.claim, run.reporter, run.cancelled, torch.device(device))
    failure = report_of(run).failure
    assert failure is not None
    assert failure.message == kind


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
    build = Member.__init__
    built: list[Member] = []

    def noted(member: Member, *args: Any, **given: Any) -> None:
        built.append(member)
        build(member, *args, **given)

    def limited(needs: dict[str, int], *rest: object, **options: object) -> None:
        if "gradients and optimiser" in needs and needs["gradients and optimiser"] > 60_000:
            assert len(built) == 1, "no other is built before it is known that all fit"
            weights = sum(weight.nbytes for weight in built[0].model.state_dict().values())
            assert needs["weights of the other runs"] == 2 * weights
            raise MemoryEstimateError("too much")
        check(needs, *rest, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(machine, "check_memory", limited)
    monkeypatch.setattr(Member, "__init__", noted)
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
    handed_over: list[int] = []
    close = Keeping.close

    def closing(keeper: Keeping, *, with_checkpoint: bool = False) -> None:
        kept = [run.keeper.kept for run in runs]  # type: ignore[attr-defined]
        handed_over.append(len([one for one in kept if one]))
        close(keeper, with_checkpoint=with_checkpoint)

    monkeypatch.setattr(Keeping, "close", closing)
    assert run_bundle(runs, CPU, checkpoint_s=1e9, worker_stopping=stopping) == [0, 1]
    assert handed_over == [2, 2], "none waits until the checkpoints of others are stored"
    for run in runs:
        assert report_of(run).state is None
        assert isinstance(run.keeper, Keeping)
        assert run.keeper.closed == [True]
        assert len(run.keeper.kept) == 1


def given_back(runs: Sequence[ClaimedRun]) -> list[Checkpoint]:
    """Train runs together for thirty steps, and return their checkpoints."""
    asked = 0

    def stopping() -> bool:
        nonlocal asked
        asked += 1
        return asked > 29  # an odd number: one of two runs would be asked first

    numbers = list(range(len(runs)))
    assert run_bundle(runs, CPU, checkpoint_s=1e9, worker_stopping=stopping) == numbers
    kept = [run.keeper.kept for run in runs]  # type: ignore[attr-defined]
    found = [checkpoint for [checkpoint] in kept]
    assert len({one.step for one in found}) == 1
    return found


def going_on(
    run: ClaimedRun, checkpoint: Checkpoint, fetch: Callable[[str], bytes] | None = None
) -> ClaimedRun:
    """Return the next attempt of a run."""
    update = {"attempt": 2, "start_after": checkpoint.step, "checkpoint": f"of {run.claim.run}"}
    return ClaimedRun(
        run.claim.model_copy(update=update),
        ListReporter(),
        run.cancelled,
        Keeping(),
        fetch or (lambda _: checkpoint.content),
    )


@pytest.fixture
def checkpointed(monkeypatch: pytest.MonkeyPatch) -> tuple[list[ClaimedRun], list[Checkpoint]]:
    monkeypatch.setattr(checkpoint, "MAX_TIME_SHARE", math.inf)
    runs = [claimed(seed=seed) for seed in (0, 1)]
    return runs, given_back(runs)


def test_runs_that_were_given_back_go_on_together(
    checkpointed: tuple[list[ClaimedRun], list[Checkpoint]],
) -> None:
    again = [going_on(*pair) for pair in zip(*checkpointed, strict=True)]
    assert run_bundle(again, CPU) == []
    whole, _ = train_bundle([(SPEC, 0), (SPEC, 1)])
    for run, undisturbed in zip(again, whole, strict=True):
        report = report_of(run)
        assert (report.state, report.after) == ("succeeded", run.claim.start_after)
        assert report.after > 0
        expected = {
            key: [point for point in points if point[0] > report.after]
            for key, points in values_of(undisturbed).items()
        }
        found = values_of(report)
        assert {key: found[key] for key in ("dynamics.loss", "retrieval.map_at_r")} == {
            key: expected[key] for key in ("dynamics.loss", "retrieval.map_at_r")
        }


@pytest.mark.parametrize("lost", [True, False])
def test_all_start_over_where_one_checkpoint_is_no_use(
    checkpointed: tuple[list[ClaimedRun], list[Checkpoint]], *, lost: bool
) -> None:
    def fetch(_: str) -> bytes:
        if lost:
            raise BlobLostError("gone")
        return b"damaged"

    (first, second), (of_first, of_second) = checkpointed
    again = [going_on(first, of_first), going_on(second, of_second, fetch)]
    assert run_bundle(again, CPU) == []
    whole, _ = train_bundle([(SPEC, 0), (SPEC, 1)])
    for run, undisturbed in zip(again, whole, strict=True):
        report = report_of(run)
        assert (report.state, report.after) == ("succeeded", 0)
        assert values_of(report) == values_of(undisturbed)
        assert any("starts over" in line for line in report.lines)


def test_one_that_is_cancelled_while_its_checkpoint_is_fetched_ends_alone(
    checkpointed: tuple[list[ClaimedRun], list[Checkpoint]],
) -> None:
    def fetch(_: str) -> bytes:
        raise CancelledError

    (first, second), (of_first, of_second) = checkpointed
    again = [going_on(first, of_first, fetch), going_on(second, of_second)]
    assert run_bundle(again, CPU) == []
    assert [report_of(run).state for run in again] == ["cancelled", "succeeded"]
    assert report_of(again[1]).after == of_second.step
