"""A slot with real trainers, against a small backend over real HTTP and Redis."""

import time
from collections.abc import Iterator

import pytest

from contract.events import Checkpointed, Ended, Log
from tests.support.backend import Backend
from tests.support.broker import Broker
from tests.support.running_slot import RunningSlot, assert_complete, running
from tests.support.specs import interruptible, long, small
from tests.support.threads import beside
from tests.support.trainers import TakenTrainers, process_of
from tests.support.waiting import PATIENCE, until
from worker.slot.pipes import GIVEN_BACK
from worker.slot.slot import Slot


@pytest.fixture(scope="module")
def shared(broker: Broker) -> Iterator[RunningSlot]:
    """One slot for all tests that leave it at work: a trainer takes five seconds to get warm."""
    with running(broker) as slot:
        yield slot


@pytest.fixture
def slot(shared: RunningSlot) -> Slot:
    """A slot whose trainers get warm; a test that stops a slot needs `running`, for its own."""
    shared.forget_trainers()
    return shared.slot


@pytest.fixture
def backend(shared: RunningSlot) -> Backend:
    return shared.backend


@pytest.fixture
def trainers(shared: RunningSlot, slot: Slot) -> TakenTrainers:
    """The trainers of the test's own runs."""
    return shared.trainers


@pytest.mark.slow
def test_one_wake_up_works_through_the_queue_and_more_do_nothing(
    backend: Backend, slot: Slot
) -> None:
    spec = small(training={"epochs": 2, "batch_size": 64})
    runs = [backend.queue(spec, seed=seed) for seed in range(3)]
    for _ in range(3):
        slot.work()
    for run in runs:
        assert_complete(run, 32)
        assert run.attempt == 1


def test_cancel_ends_a_run_within_3_s_and_keeps_what_was_measured(
    backend: Backend, slot: Slot
) -> None:
    run = backend.queue(long())
    asked = ended = 0.0

    def cancel() -> None:
        nonlocal asked, ended
        until(lambda: run.step >= 50, "step 50")
        asked = time.monotonic()
        run.cancel = True
        until(lambda: run.state == "cancelled", "the end")
        ended = time.monotonic()

    with beside(cancel):
        slot.work()
    assert ended - asked < 3 * PATIENCE
    assert isinstance(run.events[-1], Ended)
    assert len(run.series["dynamics.loss"]) > 50


@pytest.mark.slow
def test_a_trainer_that_hangs_is_killed_on_cancel(
    backend: Backend, slot: Slot, trainers: TakenTrainers
) -> None:
    run = backend.queue(long())
    asked = ended = 0.0

    def cancel() -> None:
        nonlocal asked, ended
        until(lambda: run.step >= 50, "step 50")
        process_of(trainers.taken[0]).suspend()
        asked = time.monotonic()
        run.cancel = True
        until(lambda: run.state == "cancelled", "the end")
        ended = time.monotonic()

    with beside(cancel):
        slot.work()
    assert ended - asked < 4 * PATIENCE  # 3 s for a trainer that reacts
    [lost] = run.lost
    assert not lost.strike


def test_a_killed_trainer_is_reported_lost_with_its_signal(
    backend: Backend, slot: Slot, trainers: TakenTrainers
) -> None:
    run = backend.queue(interruptible())

    def kill() -> None:
        until(lambda: run.step >= 50, "step 50")
        process_of(trainers.taken[0]).kill()

    with beside(kill):
        slot.work()
    [lost] = run.lost
    assert "SIGKILL" in lost.reason
    assert lost.strike
    assert lost.attempt == 1
    assert run.attempt == 2  # the backend queued it again, and the same wake-up trained it
    assert_complete(run, 640)


def test_a_stale_attempt_is_stopped_without_a_report(
    backend: Backend, slot: Slot, trainers: TakenTrainers
) -> None:
    run = backend.queue(long())

    def take_away() -> None:
        until(lambda: run.step >= 50, "step 50")
        run.attempt = 7

    with beside(take_away):
        slot.work()
    assert run.lost == []
    assert not any(isinstance(event, Ended) for event in run.events)
    assert trainers.taken[0].exit_code is not None


def test_a_run_goes_on_while_the_api_is_away(backend: Backend, slot: Slot) -> None:
    run = backend.queue(interruptible())

    def interrupt() -> None:
        until(lambda: run.step >= 50, "step 50")
        backend.shut()
        seen = run.step
        until(lambda: run.step > seen + 200, "more points without an API")
        backend.open()

    with beside(interrupt):
        slot.work()
    assert run.attempt == 1
    assert_complete(run, 640)


@pytest.mark.slow
def test_a_run_goes_on_while_the_broker_is_away(
    backend: Backend, slot: Slot, broker: Broker
) -> None:
    run = backend.queue(long())

    def interrupt() -> None:
        until(lambda: run.step >= 50, "step 50")
        broker.kill()
        beats = run.beats[1]
        until(lambda: run.beats[1] > beats + 1, "heartbeats without a broker")
        broker.start()

    with beside(interrupt):
        slot.work()
    assert run.attempt == 1
    assert_complete(run, 2400)


@pytest.mark.slow
def test_a_claim_waits_for_an_api_that_is_away(backend: Backend, slot: Slot) -> None:
    run = backend.queue(small(training={"epochs": 1, "batch_size": 64}))
    backend.shut()
    with beside(backend.open):
        slot.work()
    assert_complete(run, 16)


def test_a_run_with_an_unreadable_spec_fails_with_a_message(backend: Backend, slot: Slot) -> None:
    run = backend.queue({**small(), "data": {"kind": "from_the_future"}})
    slot.work()
    assert run.state == "failed"
    end = run.events[-1]
    assert isinstance(end, Ended)
    assert end.failure
    assert "from_the_future" in end.failure.message


def test_a_nan_fails_the_run_with_its_step_and_keeps_its_curves(
    backend: Backend, slot: Slot
) -> None:
    spec = small(
        encoder={"kind": "mlp", "hidden": 64, "layers": 1, "embedding_dim": 16, "normalize": False},
        training={"epochs": 8, "batch_size": 64, "optimizer": {"kind": "sgd", "lr": 100.0}},
        arms=[{"name": "contrastive", "loss": {"kind": "contrastive"}}],
    )
    run = backend.queue(spec)
    slot.work()
    assert run.state == "failed"
    end = run.events[-1]
    assert isinstance(end, Ended)
    assert end.failure
    assert end.failure.step is not None
    assert end.failure.step >= 1
    assert "learning rate 100" in end.failure.cause
    losses = run.series["dynamics.loss"]
    assert losses[0][1] is not None
    assert len(losses) >= end.failure.step
    assert any(isinstance(event, Log) for event in run.events)


@pytest.mark.slow
def test_a_slot_asked_to_stop_gives_its_run_back_at_a_checkpoint(broker: Broker) -> None:
    asked = 0.0

    def leave() -> None:
        nonlocal asked
        until(lambda: run.step >= 50, "step 50")
        asked = time.monotonic()
        own.slot.stop()

    with running(broker) as own:
        run = own.backend.queue(long())
        with beside(leave):
            own.slot.work()
        assert time.monotonic() - asked < 2 * PATIENCE
        until(lambda: run.lost, "the notice")
        assert not run.lost[0].strike
        assert run.state == "queued"
        assert own.trainers.taken[0].exit_code == GIVEN_BACK
        last = run.events[-1]
        assert isinstance(last, Checkpointed)
        assert last.step == run.step >= 50
        assert last.digest in own.backend.blobs


@pytest.mark.slow
def test_a_run_that_ends_within_its_time_is_not_given_back(broker: Broker) -> None:
    def leave() -> None:
        until(lambda: run.step >= 5, "step 5")
        own.slot.stop()

    with running(broker, drain_s=60) as own:
        run, waits = own.backend.queue(small()), own.backend.queue(small())
        with beside(leave):
            own.slot.work()
    assert_complete(run, 128)
    assert waits.state == "queued"
