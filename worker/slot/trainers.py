"""Where a slot's trainers come from: a template process that forks them, or a spare one."""

import logging
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from worker.slot.forked_trainer import UNFIT, TemplateProcess
from worker.slot.trainer_process import TrainerProcess

log = logging.getLogger(__name__)


class TrainerSource(Protocol):
    """Supplies a trainer for each run. Call it from the slot's main thread only."""

    def prepare(self) -> None:
        """Start what the next trainer needs, unless it is there; does not wait for it."""

    def take(self) -> TrainerProcess:
        """Hand over a trainer. It may still be warming up; it reads its messages after."""

    def close(self) -> None:
        """End what is kept ready."""


def trainer_source(environ: Mapping[str, str] = os.environ) -> TrainerSource:
    """Return the source for this system: Linux passes pipes to a template and ends its trainers
    with it.

    Args:
        environ: of the trainers.
    """
    start = partial(TrainerProcess.start, environ)
    if sys.platform != "linux":
        return SpareTrainer(start)
    return TemplateTrainers(partial(TemplateProcess.start, environ), start)


class SpareTrainer:
    """At most one idle trainer, warmed up ahead so that a run need not wait for torch's import."""

    def __init__(self, start: Callable[[], TrainerProcess] = TrainerProcess.start) -> None:
        self._start = start
        self._idle: TrainerProcess | None = None

    def prepare(self) -> None:
        """Start a trainer unless one is idle."""
        if self._idle is None or self._idle.exit_code is not None:
            self.close()
            self._idle = self._start()

    def take(self) -> TrainerProcess:
        """Hand over the idle trainer."""
        self.prepare()
        taken, self._idle = self._idle, None
        assert taken is not None, "prepare() leaves one"
        return taken

    def close(self) -> None:
        """End the idle trainer."""
        if self._idle:
            self._idle.stop()
            self._idle = None


class TemplateTrainers:
    """A template that forks each trainer; a spare trainer where the template says that it must not
    be forked."""

    def __init__(
        self,
        start: Callable[[], TemplateProcess] = TemplateProcess.start,
        start_spare: Callable[[], TrainerProcess] = TrainerProcess.start,
    ) -> None:
        self._start = start
        self._start_spare = start_spare
        self._template: TemplateProcess | None = None
        self._spare: SpareTrainer | None = None

    def prepare(self) -> None:
        """Start a template unless one runs."""
        if self._template and self._template.exit_code == UNFIT:
            log.warning("trainers are started one by one; their template has said why")
            self.close()
            self._spare = SpareTrainer(self._start_spare)
        if self._spare:
            self._spare.prepare()
        elif self._template is None or self._template.exit_code is not None:
            self.close()
            self._template = self._start()

    def take(self) -> TrainerProcess:
        """Fork a trainer."""
        self.prepare()
        if self._spare:
            return self._spare.take()
        assert self._template is not None, "prepare() leaves one"
        return self._template.fork()

    def close(self) -> None:
        """End the template, or the spare."""
        if self._template:
            self._template.stop()
            self._template = None
        if self._spare:
            self._spare.close()
