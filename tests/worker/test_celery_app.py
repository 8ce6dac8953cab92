"""A whole slot, as the launcher starts it: Celery's main process, pool child and trainers."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.support.backend import Backend
from tests.support.broker import Broker
from tests.support.slot import SlotProcess, running_slot
from tests.support.specs import long, small
from tests.support.waiting import PATIENCE, until


def ended(processes: list[psutil.Process]) -> bool:
    return not any(
        process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes
    )


def stop(slot: SlotProcess) -> float:
    """Send SIGTERM; return the seconds until all its processes have ended."""
    processes = [slot.main, *slot.main.children(recursive=True)]
    began = time.monotonic()
    slot.popen.send_signal(signal.SIGTERM)
    slot.popen.wait(timeout=60)
    until(lambda: ended(processes), "the end of all processes", timeout=5)
    return time.monotonic() - began


@pytest.mark.slow
def test_one_message_delivered_three_times_trains_once(
    backend: Backend, broker_url: str, tmp_path: Path
) -> None:
    with running_slot(backend, broker_url, tmp_path) as slot:
        run = backend.queue(small())
        for _ in range(3):
            slot.wake()
        until(lambda: run.state == "succeeded", "the run", timeout=30)
        until(lambda: len(backend.claims) == 4, "a claim for each message, and one more")
        assert run.attempt == 1
        assert len(run.series["dynamics.loss"]) == 129
        assert stop(slot) < 5 * PATIENCE
    assert "Traceback" not in slot.log.read_text()


@pytest.mark.slow
def test_a_slot_asked_to_stop_during_a_run_ends_within_5_s(
    backend: Backend, broker_url: str, tmp_path: Path
) -> None:
    with running_slot(backend, broker_url, tmp_path) as slot:
        run = backend.queue(long())
        slot.wake()
        until(lambda: run.step >= 50, "step 50", timeout=30)
        assert stop(slot) < 5 * PATIENCE
    until(lambda: run.lost, "the notice")
    assert not run.lost[0].strike
    assert run.state == "queued"


@pytest.mark.slow
def test_kill_9_of_the_main_process_ends_pool_child_and_trainers(
    backend: Backend, broker_url: str, tmp_path: Path
) -> None:
    with running_slot(backend, broker_url, tmp_path) as slot:
        run = backend.queue(long())
        slot.wake()
        until(lambda: run.step >= 50, "step 50", timeout=30)
        below = slot.main.children(recursive=True)
        assert slot.trainers()
        slot.popen.kill()
        until(lambda: ended(below), "the end of pool child and trainers", timeout=5)


@pytest.mark.slow
def test_kill_9_of_the_pool_child_ends_its_trainers_and_the_slot_works_on(
    backend: Backend, broker_url: str, tmp_path: Path
) -> None:
    with running_slot(backend, broker_url, tmp_path) as slot:
        run = backend.queue(small(training={"epochs": 40, "batch_size": 64}))
        slot.wake()
        until(lambda: run.step >= 50, "step 50", timeout=30)
        trainers = slot.trainers()
        assert trainers
        child = slot.pool_child()
        assert child.pid != slot.main.pid
        child.kill()
        until(lambda: ended(trainers), "the end of the trainers", timeout=5)
        run.attempt, run.state = 2, "queued"  # as the sweeper does when the lease has lapsed
        slot.wake()
        until(lambda: run.state == "succeeded", "the second attempt", timeout=60)


@pytest.mark.slow
def test_a_slot_without_a_broker_stops_within_5_s_and_works_again_with_it(
    backend: Backend, broker: Broker, broker_url: str, tmp_path: Path
) -> None:
    with running_slot(backend, broker_url, tmp_path) as slot:
        broker.kill()
        until(lambda: "Cannot connect" in slot.log.read_text(), "the slot to notice")
        broker.start()
        run = backend.queue(small())
        slot.wake()
        until(lambda: run.state == "succeeded", "the run", timeout=30)
        broker.kill()
        try:
            until(lambda: slot.log.read_text().count("Cannot connect") > 1, "the slot to notice")
            assert stop(slot) < 5 * PATIENCE
        finally:
            broker.start()
