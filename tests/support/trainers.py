"""A slot's trainers as tests need them: all that it took, oldest first, and their processes."""

from collections.abc import Mapping
from typing import Self

import psutil

from tests.support.waiting import until
from worker.slot.forked_trainer import TemplateProcess
from worker.slot.trainer_process import TrainerProcess
from worker.slot.trainers import TrainerSource, trainer_source


class TakenTrainers:
    """A source of trainers that remembers those that it handed over."""

    def __init__(self, source: TrainerSource) -> None:
        self.taken: list[TrainerProcess] = []
        self._source = source

    @classmethod
    def of_this_system(cls, environment: Mapping[str, str]) -> Self:
        """Return the source that a slot has on this system, in this environment."""
        return cls(trainer_source(environment))

    def prepare(self) -> None:
        """Start what the next trainer needs."""
        self._source.prepare()

    def take(self) -> TrainerProcess:
        """Hand over a trainer, and remember it."""
        self.taken.append(self._source.take())
        return self.taken[-1]

    def close(self) -> None:
        """End what is kept ready."""
        self._source.close()


def process_of(trainer: TrainerProcess) -> psutil.Process:
    """Wait until the trainer has been started; return its process."""

    def started() -> int | None:
        assert trainer.exit_code is None, trainer.describe_end()
        return trainer.pid

    return psutil.Process(until(started, "the trainer's start"))


def warm(template: TemplateProcess) -> TemplateProcess:
    """Wait until the template forks at once, and return it."""

    def is_warm() -> bool:
        assert template.exit_code is None, template.describe_end()
        return template.is_warm

    until(is_warm, "a warm template")
    return template
