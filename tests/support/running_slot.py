"""A slot in this process with real trainers, against the small backend."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from tests.support.backend import TOKEN, Backend, Run
from tests.support.broker import Broker
from tests.support.slot import worker_environment
from tests.support.trainers import TakenTrainers
from worker.settings import Settings
from worker.slot.slot import Slot
from worker.slot.trainer_process import TrainerProcess
from worker.slot.trainers import SpareTrainer


class RunningSlot:
    """A slot that several tests use one after the other."""

    def __init__(
        self,
        broker_url: str,
        *,
        backend: Backend | None = None,
        spare: bool = False,
        threads: int = 1,
        **changes: Any,
    ) -> None:
        self.backend = backend or Backend(broker_url)
        environment = worker_environment(broker_url, self.backend.url)
        environment["LOSSBOARD_TORCH_THREADS"] = str(threads)
        if spare:
            self.trainers = TakenTrainers(SpareTrainer(partial(TrainerProcess.start, environment)))
        else:
            self.trainers = TakenTrainers.of_this_system(environment)
        settings = Settings(
            broker_url=broker_url, api_url=self.backend.url, token=TOKEN, name="w1", **changes
        )
        self.slot = Slot(settings, self.trainers)
        self.slot.open()

    def forget_trainers(self) -> None:
        """Forget those of the test before; assert that they have ended."""
        assert all(trainer.exit_code is not None for trainer in self.trainers.taken)
        self.trainers.taken.clear()

    def close(self) -> None:
        """Stop it; assert that no trainer is left."""
        self.slot.close()
        assert all(trainer.exit_code is not None for trainer in self.trainers.taken)
        self.backend.close()


@contextmanager
def running(broker: Broker, **changes: Any) -> Iterator[RunningSlot]:
    broker.client.flushall()
    own = RunningSlot(broker.url, **changes)
    try:
        yield own
    finally:
        own.close()


def assert_complete(run: Run, steps: int) -> None:
    """Assert that the run succeeded, with every event and point exactly once."""
    assert run.state == "succeeded", run.events[-1]
    assert [getattr(event, "seq", 0) for event in run.events] == [*range(1, len(run.events) + 1)]
    for key in ("dynamics.loss", "run.elapsed_s"):
        assert [step for step, _ in run.series[key]][-steps:] == [*range(1, steps + 1)]
