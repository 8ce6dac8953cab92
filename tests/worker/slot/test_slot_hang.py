"""A slot ends a trainer that hangs, and leaves one alone that is slow: real processes."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

import pytest

from contract.events import Lost, Started
from tests.support.backend import TOKEN, Backend
from tests.support.slot import ROOT, worker_environment
from tests.support.specs import small
from tests.support.threads import beside
from tests.support.trainers import TakenTrainers, process_of
from tests.support.waiting import until
from worker.processes.parent import PARENT_VARIABLE
from worker.settings import Settings
from worker.slot.slot import Slot
from worker.slot.trainer_process import TrainerProcess
from worker.slot.trainers import SpareTrainer
from worker.slot.watch import CANCELLED

STUCK_READ = """
import sys
from worker.data.loaders import synthetic
from worker.trainer.process import main

def load(spec, folder, progress):
    progress("reading the pipe", 0, None, "rows")
    return open(sys.argv[1]).read()

synthetic.load = load
main()
"""
"""A trainer whose data come from a pipe into which nobody writes."""
SLOW_EVALUATION = """
import time
from worker.trainer import evaluation, process

run_attempt, of_batch = process.run_attempt, evaluation.Split.take

def take(split, places):
    time.sleep(0.3 * (len(places) == 64))
    return of_batch(split, places)

def run_slowly(*given, **named):
    evaluation.EMBED_BATCH["cpu"] = 64
    evaluation.Split.take = take
    run_attempt(*given, **named)

process.run_attempt = run_slowly
process.main()
"""
"""A trainer whose evaluation takes many times as long as a step."""


def started(environment: dict[str, str], *program: str) -> TrainerProcess:
    """Start a trainer, of a program of its own where one is given."""
    if not program:
        return TrainerProcess.start(environment)
    pipe = subprocess.PIPE
    popen = subprocess.Popen(
        [sys.executable, "-c", *program],
        cwd=ROOT,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env={**environment, PARENT_VARIABLE: str(os.getpid())},
        start_new_session=True,
    )
    return TrainerProcess(popen)


@contextmanager
def slot_of(
    backend: Backend, broker_url: str, *program: str, hang_s: float, floor_s: float
) -> Iterator[tuple[Slot, TakenTrainers]]:
    """Open a slot with spare trainers, the first of which is warm."""
    environment = worker_environment(broker_url, backend.url) | {"LOSSBOARD_CHECKPOINT_S": "0.1"}
    spare = started(environment, *program)
    spares = chain([spare], iter(lambda: started(environment, *program), None))
    trainers = TakenTrainers(SpareTrainer(lambda: next(spares)))
    settings = Settings(
        broker_url=broker_url, api_url=backend.url, token=TOKEN, name="w1", hang_s=hang_s
    )
    slot = Slot(settings, trainers, hang_floor_s=floor_s)
    slot.open()
    try:
        until(spare.warm.is_set, "a warm trainer")
        yield slot, trainers
    finally:
        slot.close()


@pytest.mark.slow
def test_a_stopped_trainer_is_ended_and_the_run_goes_on_from_its_checkpoint(
    backend: Backend, broker_url: str
) -> None:
    with slot_of(backend, broker_url, hang_s=300, floor_s=1.5) as (slot, trainers):
        training = {"epochs": 40, "batch_size": 64}
        run = backend.queue(small(training=training, measure={"evaluate_every": 40}))
        run.keeps_checkpoints = True

        def stop() -> None:
            until(lambda: run.checkpoint, "a checkpoint")
            process_of(trainers.taken[0]).suspend()

        with beside(stop):
            slot.work()
    lost = run.lost[0]
    seen = re.fullmatch(
        r"no sign of life from the trainer for \d+ s since step (\d+); "
        r"its steps took at most ([\d.]+) s",
        lost.reason,
    )
    assert seen, lost.reason
    assert float(seen[2]) < 1.5
    assert lost.strike
    assert "stopped or deadlocked" in lost.cause
    assert trainers.taken[0].exit_code == -signal.SIGKILL
    assert run.attempt == len(run.lost) + 1
    [started] = [event for event in run.events if isinstance(event, Started)]
    assert started.after > 0
    assert run.state == "succeeded"


@pytest.mark.slow
def test_a_read_that_never_ends_ends_the_attempt_and_a_cancel_the_run(
    backend: Backend, broker_url: str, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = os.open(pipe, os.O_RDWR)  # so that opening it does not block, but reading does
    program = (STUCK_READ, str(pipe))
    with slot_of(backend, broker_url, *program, hang_s=2, floor_s=1) as (slot, _):
        run = backend.queue(small(data={"kind": "synthetic"}))
        run.lost += [Lost(run=run.id, attempt=1, reason="killed")] * 2
        slot.work()
        cancelled = backend.queue(small(data={"kind": "synthetic"}))
        cancelled.cancel = True
        slot.work()
    os.close(writer)
    lost = run.lost[2]
    words = "no sign of life from the trainer for 2 s, at this work: reading the pipe"
    assert (lost.reason, lost.strike, run.state) == (words, True, "failed")
    [ended] = cancelled.lost
    assert (ended.reason, ended.strike) == (CANCELLED.reason, False)
    assert cancelled.state == "cancelled"


@pytest.mark.slow
def test_an_evaluation_that_takes_far_longer_than_a_step_is_not_ended(
    backend: Backend, broker_url: str
) -> None:
    with slot_of(backend, broker_url, SLOW_EVALUATION, hang_s=6, floor_s=2) as (slot, _):
        run = backend.queue(small(training={"epochs": 1, "batch_size": 32}))
        slot.work()
    assert run.state == "succeeded"
    assert run.lost == []
