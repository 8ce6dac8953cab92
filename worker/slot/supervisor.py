"""The slot's work: claim a run, hand it to a trainer, watch over it until its end is stored."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from contract import logs
from contract.events import Lost
from worker.api.client import Claim, HeartbeatAnswer, SlotApi
from worker.errors import ApiUnavailableError
from worker.slot.trainer_process import GIVEN_BACK, SpareTrainer, TrainerProcess

HEARTBEAT_S: Final = 0.8
"""Between heartbeats: within a cancel's 3 s, and a small part of the lease."""
CLOSING_HEARTBEAT_S: Final = 0.1
"""Between heartbeats once all that is missing is that the end is stored."""
TICK_S: Final = 0.05
CANCEL_GRACE_S: Final = 1.5
"""How long a cancelled trainer may take to stop by itself."""
GIVE_BACK_S: Final = 2.5
"""How long a trainer may take to leave at a checkpoint, once its slot is asked to stop."""
OVER_GRACE_S: Final = 1.0
"""How long a trainer may stay once the backend has stored its run's end."""
SPARE_DELAY_S: Final = 0.5
"""The next spare imports torch for a second or two; not while the run itself starts."""
RESEND_LOST_S: Final = 2.0
RETRY_S: Final = 0.5

log = logging.getLogger(__name__)


class Supervisor:
    """Works until nothing is queued; everything but `stop` belongs to the slot's main thread.

    `busy` is set while a run is in its hands.
    """

    def __init__(
        self,
        api: SlotApi,
        spare: SpareTrainer,
        send_lost: Callable[[Lost], bool],
        *,
        drain_s: float = 0.0,
    ) -> None:
        """A run may take so many seconds to end when the slot is asked to stop."""
        self._api = api
        self._spare = spare
        self._send_lost = send_lost
        self._api_is_away = False
        self._drain_s = drain_s
        self._stopping = threading.Event()
        self.busy = threading.Event()

    def stop(self) -> None:
        """Take no other run, and give this one back at a checkpoint, unless it ends within the time
        it may take; may be called from a signal handler."""
        self._stopping.set()

    def work(self) -> None:
        """Train run after run until none is left: one wake-up, however many are queued."""
        while (claim := self._claim()) is not None:
            self.busy.set()
            try:
                self._supervise(claim)
            finally:
                self.busy.clear()
        if not self._stopping.is_set():
            self._spare.prepare()

    def _claim(self) -> Claim | None:
        while not self._stopping.is_set():
            try:
                claim = self._api.claim()
            except ApiUnavailableError as error:
                self._note_api(error)
                self._stopping.wait(RETRY_S)
            else:
                self._note_api(None)
                return claim
        return None

    def _supervise(self, claim: Claim) -> None:
        trainer = self._spare.take()
        trainer.log_context = logs.of(claim.run, claim.attempt)
        log.info("trainer %d takes it", trainer.pid, extra=trainer.log_context)
        try:
            trainer.send(claim.model_dump())
            strike = self._watch(claim, trainer)
        finally:
            trainer.stop()
        if strike is not None:
            reason = trainer.describe_end() if strike else "its worker was asked to stop"
            self._report_lost(claim, reason, strike=strike)

    def _watch(self, claim: Claim, trainer: TrainerProcess) -> bool | None:
        """Keep the lease until the trainer leaves.

        Returns None when the attempt needs nothing more, else whether its loss is a strike.
        """
        started = time.monotonic()
        next_beat = started
        kill_at = leave_at = leave_by = float("inf")
        cancelled = False
        while not trainer.wait(TICK_S):
            now = time.monotonic()
            if self._stopping.is_set() and leave_by == float("inf"):
                leave_at = min(leave_at, now + self._drain_s)
                if now >= leave_at:
                    trainer.send({"leave": True})
                    leave_by = now + GIVE_BACK_S
            if now >= leave_by:
                return False
            if now >= kill_at and not trainer.finished.is_set():
                return not cancelled
            if now >= started + SPARE_DELAY_S and not self._stopping.is_set():
                self._spare.prepare()
            if now < next_beat:
                continue
            closing = trainer.finished.is_set() or leave_by < float("inf")
            next_beat = now + (CLOSING_HEARTBEAT_S if closing else HEARTBEAT_S)
            pulse = self._pulse(claim)
            if pulse is None:
                continue
            if not pulse.current:
                log.warning("it is no longer ours", extra=trainer.log_context)
                return None
            trainer.send({"committed_seq": pulse.committed_seq})
            if pulse.over and not trainer.wait(OVER_GRACE_S):
                return None
            if pulse.cancel and not cancelled:
                trainer.send({"cancel": True})
                cancelled = True
                kill_at = time.monotonic() + CANCEL_GRACE_S
        if trainer.exit_code == GIVEN_BACK:
            return False
        return None if trainer.exit_code == 0 else not cancelled

    def _report_lost(self, claim: Claim, reason: str, *, strike: bool) -> None:
        """Say that the attempt ended without an end, until the backend knows."""
        log.warning("%s", reason, extra=logs.of(claim.run, claim.attempt))
        lost = Lost(run=claim.run, attempt=claim.attempt, reason=reason, strike=strike)
        send_at = time.monotonic()
        while True:
            if time.monotonic() >= send_at:
                sent = self._send_lost(lost)
                send_at = time.monotonic() + (RESEND_LOST_S if sent else RETRY_S)
            if self._stopping.is_set():
                return
            pulse = self._pulse(claim)
            if pulse is not None and pulse.over:
                return
            self._stopping.wait(CLOSING_HEARTBEAT_S)

    def _pulse(self, claim: Claim) -> HeartbeatAnswer | None:
        try:
            pulse = self._api.heartbeat(claim)
        except ApiUnavailableError as error:
            self._note_api(error)
            return None
        self._note_api(None)
        return pulse

    def _note_api(self, error: ApiUnavailableError | None) -> None:
        """Log when the API goes away and when it is back, not every try."""
        if error and not self._api_is_away:
            log.warning("the API does not answer, asking again: %s", error)
        elif self._api_is_away and not error:
            log.warning("the API answers again")
        self._api_is_away = error is not None
