"""The deadlines of a trainer under watch, and why an attempt is lost."""

from typing import Final, NamedTuple

from worker.slot import silence
from worker.slot.pipes import GIVEN_BACK
from worker.slot.silence import Silence
from worker.slot.trainer_process import TrainerProcess

CANCEL_GRACE_S: Final = 1.5
"""Time that a cancelled trainer has to stop by itself."""
GIVE_BACK_S: Final = 2.5
"""Time that a trainer has to give its run back at a checkpoint, when its slot is asked to stop."""


class Loss(NamedTuple):
    """Why an attempt is lost."""

    reason: str
    strike: bool = True
    """Whether it counts as a strike against the run."""
    cause: str = ""
    """What people can do about it; empty for the usual cause."""


STOPPING: Final = Loss("its worker was asked to stop", strike=False)
CANCELLED: Final = Loss("it was cancelled, and its trainer was ended", strike=False)
TEMPLATE_ENDED: Final = Loss("the process that its trainer was forked from ended", strike=False)


class Watch:
    """What a trainer was asked to do, and until when."""

    def __init__(self, trainer: TrainerProcess, silent: Silence) -> None:
        self._trainer = trainer
        self._silent = silent
        self._give_back_at = self._give_back_by = self._kill_at = float("inf")
        self.cancelled = False

    @property
    def closing(self) -> bool:
        """Whether nothing is missing but that the end, or the last checkpoint, is stored."""
        return self._trainer.finished.is_set() or self._give_back_by < float("inf")

    def cancel(self, now: float) -> None:
        """Ask the trainer, once, to cancel its run."""
        if not self.cancelled:
            self._trainer.send({"cancel": True})
            self.cancelled = True
            self._kill_at = now + CANCEL_GRACE_S

    def leave(self, now: float, drain_s: float) -> None:
        """Ask the trainer to give its run back, once it has had `drain_s` seconds to end by
        itself."""
        self._give_back_at = min(self._give_back_at, now + drain_s)
        if self._give_back_by == float("inf") and now >= self._give_back_at:
            self._trainer.send({"leave": True})
            self._give_back_by = now + GIVE_BACK_S

    def loss(self, now: float) -> Loss | None:
        """Return why the attempt is lost, though the trainer has not exited; None if it is not."""
        if now >= self._give_back_by:
            return STOPPING
        if now >= self._kill_at and not self._trainer.finished.is_set():
            return CANCELLED
        if (hang := self._silent.hang()) is None:
            return None
        return CANCELLED if self.cancelled else Loss(hang, cause=silence.CAUSE)

    def loss_by_exit(self) -> Loss | None:
        """Return why the attempt of a trainer that has exited is lost; None if it has reported its
        end."""
        if self._trainer.exit_code == 0:
            return None
        if self._trainer.exit_code == GIVEN_BACK:
            return STOPPING
        if self.cancelled:
            return CANCELLED
        if self._trainer.ended_with_template:
            return TEMPLATE_ENDED
        return Loss(self._trainer.describe_end())
