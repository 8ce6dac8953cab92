"""Plug-ins that hang, exit, fill memory or break torch end their own run, and no other: a real slot
with real trainers."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from contract.events import Ended, Lost
from tests.support.backend import TOKEN, Backend, Run
from tests.support.broker import Broker
from tests.support.plugin_entries import arm
from tests.support.plugins import FILES, put
from tests.support.running_slot import assert_complete
from tests.support.slot import worker_environment
from tests.support.specs import small
from tests.support.trainers import TakenTrainers, warm
from worker.settings import Settings
from worker.slot.plugins import SlotPlugins
from worker.slot.slot import Slot
from worker.slot.trainers import TemplateTrainers, trainer_source

WAIT_S = 120.0


@dataclass
class Offering:
    """A slot that has checked the hostile plug-ins, and its backend."""

    slot: Slot
    backend: Backend
    digests: dict[str, str]

    def queue(self, name: str) -> Run:
        """Queue a run with one of them."""
        run = self.backend.queue(small(arms=[arm(name)], training=TRAINING))
        run.loss_digest = self.digests[name]
        return run


TRAINING = {"epochs": 2, "batch_size": 64}


@pytest.fixture(scope="module")
def offering(broker: Broker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Offering]:
    broker.client.flushall()
    backend = Backend(broker.url)
    folder = tmp_path_factory.mktemp("losses")
    put(folder, "hostile", (FILES / "hostile.py").read_text())
    settings = Settings(
        broker_url=broker.url,
        api_url=backend.url,
        token=TOKEN,
        name="w1",
        hang_s=60.0,
        losses=(str(folder),),
    )
    trainers = trainer_source(worker_environment(broker.url, backend.url))
    assert isinstance(trainers, TemplateTrainers)
    trainers.prepare()
    assert trainers._template is not None
    warm(trainers._template)  # its own start is no silence of a trainer
    slot = Slot(
        settings,
        TakenTrainers(trainers),
        hang_floor_s=4.0,
        plugins=SlotPlugins(settings),
    )
    slot.open()
    assert slot.plugins.ready.wait(WAIT_S)
    assert {entry["problem"] for entry in backend.plugins} == {""}
    digests = {entry["name"]: entry["digest"] for entry in backend.plugins}
    assert len(digests) == 7
    yield Offering(slot, backend, digests)
    slot.close()
    backend.close()


def ended_of(run: Run) -> Ended:
    last = run.events[-1]
    assert isinstance(last, Ended)
    return last


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("hangs", r"no sign of life from the trainer for \d+ s since step \d+"),
        ("exits", r"exit code 3"),
    ],
)
def test_one_that_hangs_or_exits_loses_its_own_attempts(
    offering: Offering, name: str, reason: str
) -> None:
    hostile = offering.queue(name)
    hostile.lost += [Lost(run=hostile.id, attempt=1, reason="killed")] * 2  # the third is the last
    offering.slot.work()
    assert hostile.state == "failed"
    assert len(hostile.lost) == 3
    assert re.search(reason, hostile.lost[-1].reason), hostile.lost[-1]
    assert hostile.lost[-1].strike
    assert_other_runs_go_on(offering)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "message", "cause"),
    [
        ("fills", r"allocate memory|MemoryError", "The memory is full"),
        ("breaks", r"TypeError", "The run's log holds the traceback."),
        ("shapes", r"returned a tensor of shape \[64, 16\]; needs one number", "do not fit"),
        ("nans", r"the loss became nan at step \d+", "a parameter of nans is too large"),
        ("raises", r"ValueError: no reason", "The run's log holds the traceback."),
    ],
)
def test_one_that_fails_ends_its_run_with_the_reason(
    offering: Offering, name: str, message: str, cause: str
) -> None:
    hostile = offering.queue(name)
    offering.slot.work()
    ended = ended_of(hostile)
    assert (hostile.state, hostile.lost) == ("failed", [])
    assert ended.failure is not None
    assert re.search(message, ended.failure.message), ended.failure
    assert cause in ended.failure.cause
    assert_other_runs_go_on(offering)


def assert_other_runs_go_on(offering: Offering) -> None:
    ours: dict[str, Any] = small(training=TRAINING)
    other = offering.backend.queue(ours)
    offering.slot.work()
    assert_complete(other, 32)
