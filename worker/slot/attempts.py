"""The attempts that one trainer has, as its slot keeps them: their leases, orders and losses."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from contract import logs
from contract.events import Lost
from worker.api.client import Claim, HeartbeatAnswer
from worker.slot.trainer_process import TrainerProcess
from worker.slot.watch import CANCELLED, LEFT_BEHIND, Loss, Watch

RESEND_LOST_S: Final = 2.0
"""Between two copies of the event of a lost attempt, until the backend has stored it."""
RETRY_S: Final = 0.5
"""Before the next try while API or broker are away."""

log = logging.getLogger(__name__)


class Attempts:
    """Attempts of runs that are trained together, each until the backend expects nothing more."""

    def __init__(
        self,
        claims: Sequence[Claim],
        heartbeats: Callable[[Sequence[Claim]], list[HeartbeatAnswer] | None],
        send_lost: Callable[[Lost], bool],
    ) -> None:
        """Args:
        claims: of the runs.
        heartbeats: renews their leases; returns None while the API is away.
        send_lost: sends the event of a lost attempt; returns whether the broker took it.
        """
        self._left = {claim.run: claim for claim in claims}
        self._heartbeats = heartbeats
        self._send_lost = send_lost
        self._send_at: dict[str, float] = {}
        """Lost run -> when its event is sent, or sent again."""

    @property
    def left(self) -> list[Claim]:
        """The attempts of which the backend expects something."""
        return list(self._left.values())

    def beat(self, trainer: TrainerProcess, watch: Watch) -> bool:
        """Renew the leases, and pass on what the trainer has to know; return whether the backend
        has stored the end of one."""
        stored: dict[str, int] = {}
        given_up: list[Claim] = []
        over = False
        for claim, answer in self._ask():
            if answer.current:
                stored[claim.run] = answer.committed_seq
            else:
                log.warning("it is no longer ours", extra=_fields(claim))
            if answer.over:
                over = over or answer.current
                given_up.append(self._left.pop(claim.run))
            elif answer.cancel:
                watch.cancel(claim.run, time.monotonic())
        trainer.send({"stored": stored})
        for claim in given_up:
            trainer.send({"give_up": claim.run})
        return over

    def lose_overdue(self, watch: Watch, now: float) -> bool:
        """Report cancelled runs that the trainer has not stopped in its time, where it goes on with
        others; return whether there are no others, so that the trainer is to be ended."""
        overdue = [claim for claim in self.left if watch.is_overdue(claim.run, now)]
        if not overdue:
            return False
        if len(overdue) == len(self._left):
            return True
        self._send({claim.run: LEFT_BEHIND for claim in overdue})
        return False

    def lose(self, loss: Loss, watch: Watch, pause: Callable[[], bool]) -> None:
        """Report that the attempts stopped without an end, again and again until the backend has
        stored it.

        Args:
            loss: why; those that were cancelled end by that.
            watch: of their trainer.
            pause: waits a moment; returns whether to stop asking.
        """
        losses = {
            run: CANCELLED if watch.is_cancelled(run) and loss.strike else loss
            for run in self._left
        }
        for claim in self.left:
            lost = losses[claim.run]
            level = logging.WARNING if lost.strike else logging.INFO
            log.log(level, "%s", lost.reason, extra=_fields(claim))
        self._send_at.clear()
        while self._left:
            self._send({run: losses[run] for run in self._left})
            if pause():
                return
            for claim, answer in self._ask():
                if answer.over:
                    del self._left[claim.run]

    def _ask(self) -> Iterable[tuple[Claim, HeartbeatAnswer]]:
        """Renew the leases; return the answers, none while the API is away."""
        claims = self.left
        answers = self._heartbeats(claims)
        return [] if answers is None else list(zip(claims, answers, strict=True))

    def _send(self, losses: Mapping[str, Loss]) -> None:
        """Send the events of lost attempts that are due."""
        now = time.monotonic()
        for run, loss in losses.items():
            if now >= self._send_at.get(run, 0.0):
                claim = self._left[run]
                sent = self._send_lost(Lost(run=run, attempt=claim.attempt, **loss._asdict()))
                self._send_at[run] = now + (RESEND_LOST_S if sent else RETRY_S)


def _fields(claim: Claim) -> dict[str, object]:
    return logs.attempt_fields(claim.run, claim.attempt)
