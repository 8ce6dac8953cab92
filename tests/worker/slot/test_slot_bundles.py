"""A slot whose trainer trains several runs as one computation, against a small backend."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from contract.events import Checkpointed, Ended
from tests.support.backend import Backend, Run
from tests.support.broker import Broker
from tests.support.running_slot import RunningSlot, assert_complete, running
from tests.support.specs import long, small
from tests.support.threads import beside
from tests.support.trainers import process_of
from tests.support.waiting import until
from worker.slot.pipes import GIVEN_BACK
from worker.slot.watch import LEFT_BEHIND

ENCODER = {"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": 16, "normalize": False}
STEPS = 1600


def interrupted(**changes: Any) -> dict[str, Any]:
    """Return a spec long enough to be interrupted."""
    return long(**{"training": {"epochs": 100, "batch_size": 64}, **changes})


@pytest.fixture(scope="module")
def shared(broker: Broker) -> Iterator[RunningSlot]:
    with running(broker) as slot:
        yield slot


@pytest.fixture
def own(shared: RunningSlot) -> RunningSlot:
    shared.forget_trainers()
    return shared


def values(run: Run) -> dict[str, list[tuple[int, float | None]]]:
    """All that a run measured, but for the time that it took."""
    return {key: points for key, points in run.series.items() if key != "run.elapsed_s"}


def alone(own: RunningSlot, spec: dict[str, Any], seed: int) -> Run:
    """Train a run of its own, to compare with."""
    run = own.backend.queue(spec, seed=seed)
    own.slot.work()
    assert run.state == "succeeded"
    return run


def queue(backend: Backend, specs: Sequence[dict[str, Any]]) -> list[Run]:
    """Queue runs of different settings that a slot gets together."""
    return [backend.queue(spec, seed=seed, bundle="b") for seed, spec in enumerate(specs)]


def test_five_runs_are_trained_by_one_trainer_with_the_values_of_runs_alone(
    own: RunningSlot,
) -> None:
    runs = own.backend.queue_together(small(), range(5))
    own.slot.work()
    assert len(own.trainers.taken) == 1
    for run in runs:
        assert_complete(run, 128)
        assert run.attempt == 1
    assert values(alone(own, small(), 3)) == values(runs[3])
    assert values(runs[3]) != values(runs[2])


@pytest.mark.slow
def test_one_that_diverges_one_cancelled_and_one_deleted_leave_the_others_as_they_were(
    own: RunningSlot,
) -> None:
    def spec(lr: float) -> dict[str, Any]:
        optimizer = {"kind": "sgd", "lr": lr}
        arms = [{"name": "contrastive", "loss": {"kind": "contrastive"}}]
        training = {"epochs": 100, "batch_size": 64, "optimizer": optimizer}
        return interrupted(encoder=ENCODER, training=training, arms=arms)

    specs = [spec(100.0), *[spec(0.01)] * 4]
    diverges, cancelled, deleted, *others = queue(own.backend, specs)

    def disturb() -> None:
        until(lambda: cancelled.step >= 50, "step 50")
        cancelled.cancel = True
        own.backend.delete(deleted)
        until(lambda: cancelled.state == "cancelled", "the end")
        assert all(run.state == "running" for run in others), "they go on"

    with beside(disturb):
        own.slot.work()
    assert len(own.trainers.taken) == 1
    assert diverges.state == "failed"
    end = diverges.events[-1]
    assert isinstance(end, Ended)
    assert end.failure
    assert "learning rate 100" in end.failure.cause
    assert 50 <= cancelled.step < STEPS
    assert deleted.step < STEPS
    assert not any(run.lost for run in (diverges, cancelled, deleted, *others))
    for run in others:
        assert_complete(run, STEPS)
    assert values(alone(own, spec(0.01), 4)) == values(others[-1])


@pytest.mark.slow
def test_after_the_trainer_was_killed_every_run_goes_on_alone_and_has_every_point_once(
    own: RunningSlot,
) -> None:
    runs = own.backend.queue_together(interrupted(), range(3))

    def kill() -> None:
        until(lambda: runs[0].step >= 50, "step 50")
        process_of(own.trainers.taken[0]).kill()

    with beside(kill):
        own.slot.work()
    assert len(own.trainers.taken) == 4
    for run in runs:
        [lost] = run.lost
        assert "SIGKILL" in lost.reason
        assert (lost.strike, run.attempt) == (True, 2)
        assert_complete(run, STEPS)


@pytest.mark.slow
def test_a_run_that_the_trainer_does_not_stop_in_time_ends_without_the_others(
    own: RunningSlot,
) -> None:
    cancelled, other = own.backend.queue_together(interrupted(), range(2))

    def cancel() -> None:
        until(lambda: cancelled.step >= 50, "step 50")
        process = process_of(own.trainers.taken[0])
        process.suspend()
        cancelled.cancel = True
        until(lambda: cancelled.state == "cancelled", "the end")
        process.resume()

    with beside(cancel):
        own.slot.work()
    assert [lost.reason for lost in cancelled.lost] == [LEFT_BEHIND.reason]
    assert other.attempt == 1
    assert_complete(other, STEPS)


@pytest.mark.slow
def test_a_slot_asked_to_stop_gives_all_runs_back_at_a_checkpoint(broker: Broker) -> None:
    def leave() -> None:
        until(lambda: runs[0].step >= 50, "step 50")
        own.slot.stop()

    with running(broker) as own:
        runs = own.backend.queue_together(interrupted(), range(3))
        with beside(leave):
            own.slot.work()
        for run in runs:
            until(lambda run=run: run.lost, "the notice")  # type: ignore[misc]
            assert not run.lost[0].strike
            assert run.state == "queued"
            last = run.events[-1]
            assert isinstance(last, Checkpointed)
            assert last.step == run.step >= 50
            assert last.digest in own.backend.blobs
        assert own.trainers.taken[0].exit_code == GIVEN_BACK


@pytest.mark.slow
def test_runs_that_were_given_back_go_on_together_from_their_checkpoints(broker: Broker) -> None:
    def leave() -> None:
        until(lambda: runs[0].step >= 50, "step 50")
        own.slot.stop()

    with running(broker) as own:
        runs = own.backend.queue_together(interrupted(), range(3))
        for run in runs:
            run.keeps_checkpoints = True
        with beside(leave):
            own.slot.work()
        until(lambda: all(run.state == "queued" for run in runs), "all given back")
        again = RunningSlot(broker.url, backend=own.backend)
        try:
            again.slot.work()
        finally:
            again.slot.close()
        assert len(again.trainers.taken) == 1
        for run in runs:
            assert (run.state, run.attempt) == ("succeeded", 2)
            assert run.checkpoint is not None
            steps = [step for step, _ in run.series["dynamics.loss"]]
            assert steps == [*range(run.checkpoint.step + 1, STEPS + 1)]
