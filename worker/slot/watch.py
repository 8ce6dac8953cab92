"""The deadlines of a trainer under watch, and why its attempts are lost."""

from typing import Final, NamedTuple

from worker.slot import silence
from worker.slot.pipes import GIVEN_BACK
from worker.slot.silence import Silence
from worker.slot.trainer_process import TrainerProcess

CANCEL_GRACE_S: Final = 1.5
"""Time that a trainer has to stop a cancelled run by itself."""
GIVE_BACK_S: Final = 2.5
"""Time that a trainer has to give its runs back at a checkpoint, when its slot is asked to stop."""


class Loss(NamedTuple):
    """Why an attempt is lost."""

    reason: str
    strike: bool = True
    """Whether it counts as a strike against the run."""
    cause: str = ""
    """What people can do about it; empty for the usual cause."""


STOPPING: Final = Loss("its worker was asked to stop", strike=False)
CANCELLED: Final = Loss("it was cancelled, and its trainer was ended", strike=False)
LEFT_BEHIND: Final = Loss("it was cancelled, and its trainer goes on with others", strike=False)
TEMPLATE_ENDED: Final = Loss("the process that its trainer was forked from ended", strike=False)


class Watch:
    """What a trainer was asked to do, and until when."""

    def __init__(self, trainer: TrainerProcess, silent: Silence) -> None:
        self._trainer = trainer
        self._silent = silent
        self._give_back_at = self._give_back_by = float("inf")
        self._cancel_by: dict[str, float] = {}
        """Cancelled run -> until when the trainer has time to stop it."""

    @property
    def closing(self) -> bool:
        """Whether nothing is missing but that the ends, or the last checkpoints, are stored."""
        return self._trainer.finished.is_set() or self._give_back_by < float("inf")

    def cancel(self, run: str, now: float) -> None:
        """Ask the trainer, once, to cancel a run."""
        if run not in self._cancel_by:
            self._trainer.send({"cancel": run})
            self._cancel_by[run] = now + CANCEL_GRACE_S

    def is_cancelled(self, run: str) -> bool:
        """Return whether the trainer was asked to cancel a run."""
        return run in self._cancel_by

    def is_overdue(self, run: str, now: float) -> bool:
        """Return whether the trainer has had its time to stop a cancelled run."""
        finished = self._trainer.finished.is_set()
        return now >= self._cancel_by.get(run, float("inf")) and not finished

    def leave(self, now: float, drain_s: float) -> None:
        """Ask the trainer to give its runs back, once it has had `drain_s` seconds to end them."""
        self._give_back_at = min(self._give_back_at, now + drain_s)
        if self._give_back_by == float("inf") and now >= self._give_back_at:
            self._trainer.send({"leave": True})
            self._give_back_by = now + GIVE_BACK_S

    def loss(self, now: float) -> Loss | None:
        """Return why the attempts are lost, though the trainer has not exited; None if they are
        not."""
        if now >= self._give_back_by:
            return STOPPING
        hang = self._silent.hang()
        return None if hang is None else Loss(hang, cause=silence.CAUSE)

    def loss_by_exit(self) -> Loss | None:
        """Return why the attempts without a stored end of a trainer that has exited are lost; None
        if it has reported all ends."""
        if self._trainer.exit_code == 0:
            return None
        if self._trainer.exit_code == GIVEN_BACK:
            return STOPPING
        if self._trainer.ended_with_template:
            return TEMPLATE_ENDED
        return Loss(self._trainer.describe_end())
