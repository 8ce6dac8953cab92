"""The sources of trainers in a slot at work: equal numbers, and the end of a template."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch

from contract.comparison.spec import parse_spec
from tests.support.broker import Broker
from tests.support.running_slot import RunningSlot, assert_complete, running
from tests.support.slot import worker_environment
from tests.support.specs import long, small
from tests.support.threads import beside
from tests.support.trainers import process_of
from tests.support.waiting import still_alive, until
from worker.reporting.reporter import ListReporter
from worker.slot.forked_trainer import UNFIT, TemplateProcess
from worker.slot.trainer_process import TrainerProcess
from worker.slot.trainers import TemplateTrainers
from worker.slot.watch import TEMPLATE_ENDED
from worker.trainer.attempt import trainer_of

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has templates")

Series = dict[str, list[tuple[int, float | None]]]
SPEC = small(
    training={"epochs": 3, "batch_size": 64},
    arms=[
        {"name": "triplet", "loss": {"kind": "triplet"}},
        {"name": "center", "loss": {"kind": "center_contrastive"}},
    ],
)
ENVIRONMENT = worker_environment("redis://127.0.0.1:1/0", "http://127.0.0.1:1")
WITH_A_THREAD = """
import sys, threading, time
threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
from worker.trainer import template
template.warm_up = lambda: None
sys.exit(template.main(int(sys.argv[2])))
"""
"""A template in which some library has started a thread."""
CLOCK_KEYS = ("run.elapsed_s",)
"""They differ between any two runs."""


@pytest.fixture(scope="module")
def shared(broker: Broker) -> Iterator[RunningSlot]:
    """One slot for the tests of this module."""
    with running(broker) as slot:
        yield slot


def trained(slot: RunningSlot, arm: str = "triplet", seed: int = 0) -> Series:
    """Train a run of the spec in a trainer of the slot; return its series."""
    run = slot.backend.queue(SPEC, arm=arm, seed=seed)
    slot.slot.work()
    assert (run.state, run.attempt) == ("succeeded", 1), run.events[-1]
    return without_clock(run.series)


def without_clock(series: Series) -> Series:
    assert set(CLOCK_KEYS) < set(series)
    return {key: points for key, points in series.items() if key not in CLOCK_KEYS}


@pytest.mark.slow
def test_a_forked_trainer_gives_the_numbers_of_a_process_of_its_own(shared: RunningSlot) -> None:
    first = trained(shared)
    other = trained(shared, arm="center", seed=1)
    assert trained(shared) == first, "trainers of one template share no state"
    assert other != first
    reporter = ListReporter()
    spec, device = parse_spec(SPEC), torch.device("cpu")
    arm = spec.arms[0]
    trainer_of(spec, arm, device)(spec, arm, 0, device, reporter).run(lambda: False)
    here: Series = {key: list(points) for key, points in reporter.series.items()}
    assert first == without_clock(here)


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_template_and_spare_give_the_same_numbers(broker: Broker, threads: int) -> None:
    found = []
    for spare in (False, True):
        with running(broker, threads=threads, spare=spare) as slot:
            found.append([trained(slot, arm) for arm in ("triplet", "center")])
    assert found[0] == found[1]


@pytest.mark.slow
def test_the_end_of_the_template_costs_an_attempt_but_no_strike(shared: RunningSlot) -> None:
    run = shared.backend.queue(long(training={"epochs": 40, "batch_size": 64}))
    shared.forget_trainers()

    def kill() -> None:
        until(lambda: run.step >= 50, "step 50")
        trainer = process_of(shared.trainers.taken[0])
        template = trainer.parent()
        assert template is not None
        template.kill()
        assert still_alive([trainer], timeout=5) == []

    with beside(kill):
        shared.slot.work()
    [lost] = run.lost
    assert (lost.reason, lost.strike, lost.attempt) == (TEMPLATE_ENDED.reason, False, 1)
    assert run.attempt == 2
    assert_complete(run, 640)
    assert len(shared.trainers.taken) == 2


@pytest.mark.slow
def test_a_template_that_must_not_be_forked_is_replaced_by_a_spare_trainer() -> None:
    templates = []

    def start() -> TemplateProcess:
        templates.append(TemplateProcess.start(ENVIRONMENT, ("-c", WITH_A_THREAD)))
        return templates[-1]

    source = TemplateTrainers(start, idle)
    waiting = source.take()
    assert waiting.wait(60)
    assert waiting.ended_with_template, "the run that waited is not to blame"
    [template] = templates
    assert template.exit_code == UNFIT
    assert "2 threads" in template.describe_end()
    waiting.stop()
    for _ in range(2):
        trainer = source.take()
        assert trainer.exit_code is None
        trainer.stop()
    assert len(templates) == 1
    source.prepare()
    source.close()


def idle() -> TrainerProcess:
    """Start a process in the place of a spare trainer."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    return TrainerProcess(
        subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
    )
