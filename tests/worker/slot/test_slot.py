"""A slot with real trainers, against a small backend over real HTTP and Redis."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from contract.events import Checkpointed, Ended, Log
from tests.support.backend import TOKEN, Backend, Run
from tests.support.broker import Broker
from tests.support.slot import worker_environment
from tests.support.specs import long, small
from tests.support.waiting import PATIENCE, until
from worker.settings import Settings
from worker.slot.slot import Slot
from worker.slot.trainer_process import GIVEN_BACK, TrainerProcess


class StartedTrainers:
    """Starts trainers and remembers them."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.all: list[TrainerProcess] = []
        self._environment = environment

    def start(self) -> TrainerProcess:
        self.all.append(TrainerProcess.start(self._environment))
        return self.all[-1]


@pytest.fixture
def trainers(backend: Backend, broker_url: str) -> StartedTrainers:
    return StartedTrainers(worker_environment(broker_url, backend.url))


@pytest.fixture
def slot(backend: Backend, broker_url: str, trainers: StartedTrainers) -> Iterator[Slot]:
    settings = Settings(broker_url=broker_url, api_url=backend.url, token=TOKEN, name="w1")
    slot = Slot(settings, start_trainer=trainers.start)
    slot.open()
    yield slot
    slot.close()
    assert all(trainer.exit_code is not None for trainer in trainers.all)


@contextmanager
def disturbing(disturb: object) -> Iterator[None]:
    """Run a function in a second thread while the slot works in this one; its error is raised
    here."""
    faults: list[BaseException] = []

    def guarded() -> None:
        try:
            assert callable(disturb)
            disturb()
        except BaseException as fault:  # noqa: BLE001 - raised again below
            faults.append(fault)

    thread = threading.Thread(target=guarded)
    thread.start()
    yield
    thread.join()
    if faults:
        raise faults[0]


def assert_complete(run: Run, steps: int) -> None:
    """Assert that the run succeeded, with every event and point exactly once."""
    assert run.state == "succeeded", run.events[-1]
    assert [getattr(event, "seq", 0) for event in run.events] == [*range(1, len(run.events) + 1)]
    for key in ("dynamics.loss", "run.elapsed_s"):
        assert [step for step, _ in run.series[key]][-steps:] == [*range(1, steps + 1)]


def test_the_spare_trains_the_run_and_another_takes_its_place(
    backend: Backend, slot: Slot, trainers: StartedTrainers
) -> None:
    first = trainers.all[0]
    until(first.warm.is_set, "a warm spare")
    run = backend.queue(small())
    slot.work()
    assert_complete(run, 128)
    assert run.attempt == 1
    assert first.exit_code == 0
    assert len(trainers.all) == 2
    assert trainers.all[1].exit_code is None


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

    with disturbing(cancel):
        slot.work()
    assert ended - asked < 3 * PATIENCE
    assert isinstance(run.events[-1], Ended)
    assert len(run.series["dynamics.loss"]) > 50


def test_a_trainer_that_hangs_is_killed_on_cancel(
    backend: Backend, slot: Slot, trainers: StartedTrainers
) -> None:
    run = backend.queue(long())
    asked = ended = 0.0

    def cancel() -> None:
        nonlocal asked, ended
        until(lambda: run.step >= 50, "step 50")
        os.kill(trainers.all[0].pid, signal.SIGSTOP)
        asked = time.monotonic()
        run.cancel = True
        until(lambda: run.state == "cancelled", "the end")
        ended = time.monotonic()

    with disturbing(cancel):
        slot.work()
    assert ended - asked < 4 * PATIENCE  # 3 s for a trainer that reacts
    [lost] = run.lost
    assert not lost.strike


def test_a_killed_trainer_is_reported_lost_with_its_signal(
    backend: Backend, slot: Slot, trainers: StartedTrainers
) -> None:
    run = backend.queue(long())

    def kill() -> None:
        until(lambda: run.step >= 50, "step 50")
        os.kill(trainers.all[0].pid, signal.SIGKILL)

    with disturbing(kill):
        slot.work()
    [lost] = run.lost
    assert "SIGKILL" in lost.reason
    assert lost.strike
    assert lost.attempt == 1
    assert run.attempt == 2  # the backend queued it again, and the same wake-up trained it
    assert_complete(run, 2400)


def test_a_stale_attempt_is_stopped_without_a_report(
    backend: Backend, slot: Slot, trainers: StartedTrainers
) -> None:
    run = backend.queue(long())

    def take_away() -> None:
        until(lambda: run.step >= 50, "step 50")
        run.attempt = 7

    with disturbing(take_away):
        slot.work()
    assert run.lost == []
    assert not any(isinstance(event, Ended) for event in run.events)
    assert trainers.all[0].exit_code is not None


def test_a_run_goes_on_while_the_api_is_away(backend: Backend, slot: Slot) -> None:
    run = backend.queue(long())

    def interrupt() -> None:
        until(lambda: run.step >= 50, "step 50")
        backend.shut()
        seen = run.step
        until(lambda: run.step > seen + 200, "more points without an API")
        backend.open()

    with disturbing(interrupt):
        slot.work()
    assert run.attempt == 1
    assert_complete(run, 2400)


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

    with disturbing(interrupt):
        slot.work()
    assert run.attempt == 1
    assert_complete(run, 2400)


def test_a_slot_asked_to_stop_gives_its_run_back(
    backend: Backend, slot: Slot, trainers: StartedTrainers
) -> None:
    run = backend.queue(long())
    asked = 0.0

    def stop() -> None:
        nonlocal asked
        until(lambda: run.step >= 50, "step 50")
        asked = time.monotonic()
        slot.stop()

    with disturbing(stop):
        slot.work()
    assert time.monotonic() - asked < 2 * PATIENCE
    assert trainers.all[0].exit_code is not None
    until(lambda: run.lost, "the notice")
    assert not run.lost[0].strike
    assert run.state == "queued"


def test_a_claim_waits_for_an_api_that_is_away(backend: Backend, slot: Slot) -> None:
    run = backend.queue(small(training={"epochs": 1, "batch_size": 64}))
    backend.shut()
    with disturbing(backend.open):
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


def test_a_run_is_given_back_at_a_checkpoint(
    backend: Backend, slot: Slot, trainers: StartedTrainers
) -> None:
    run = backend.queue(long())

    def leave() -> None:
        until(lambda: run.step >= 50, "step 50")
        slot.stop()

    with disturbing(leave):
        slot.work()
    until(lambda: run.lost, "the notice")
    assert not run.lost[0].strike
    assert trainers.all[0].exit_code == GIVEN_BACK
    last = run.events[-1]
    assert isinstance(last, Checkpointed)
    assert last.step == run.step >= 50
    assert last.digest in backend.blobs


def test_a_run_that_ends_within_its_time_is_not_given_back(
    backend: Backend, broker_url: str, trainers: StartedTrainers
) -> None:
    settings = Settings(
        broker_url=broker_url, api_url=backend.url, token=TOKEN, name="w1", drain_s=60
    )
    slot = Slot(settings, start_trainer=trainers.start)
    slot.open()
    run, waits = backend.queue(small()), backend.queue(small())

    def leave() -> None:
        until(lambda: run.step >= 5, "step 5")
        slot.stop()

    with disturbing(leave):
        slot.work()
    slot.close()
    assert_complete(run, 128)
    assert waits.state == "queued"
