"""A slot: all that a Celery pool child holds, and its work.

The work: claim a run, hand it to a trainer, and watch it until its end is stored. While no run is
trained, a thread reports that the slot is alive.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import redis

from contract import logs
from contract.events import Lost, encode
from contract.names import EVENT_FIELD, EVENT_STREAM
from worker.api.client import Claim, HeartbeatAnswer, SlotApi
from worker.errors import ApiUnavailableError
from worker.reporting.stream_reporter import connect_to_broker
from worker.settings import Settings
from worker.slot import silence
from worker.slot.silence import Silence
from worker.slot.trainer_process import TrainerProcess
from worker.slot.trainers import TrainerSource, trainer_source
from worker.slot.watch import Loss, Watch

PRESENCE_S: Final = 5.0
"""Between two reports that an idle slot is alive."""
PRESENCE_RETRY_S: Final = 1.0
HEARTBEAT_S: Final = 0.8
"""Between heartbeats: short enough for a cancel to take effect within 3 s, and a small part of the
lease."""
CLOSING_HEARTBEAT_S: Final = 0.1
"""Between heartbeats once the only thing missing is that the backend stores the end."""
TICK_S: Final = 0.05
"""Between two looks at the trainer."""
OVER_GRACE_S: Final = 1.0
"""Time that a trainer has to exit once the backend has stored the end of its run."""
PREPARE_DELAY_S: Final = 0.5
"""Time of a run after which the next trainer is prepared: an import of torch takes a second or two,
which must not slow down the start of the run itself."""
RESEND_LOST_S: Final = 2.0
"""Between two copies of the event of a lost attempt, until the backend has stored it."""
RETRY_S: Final = 0.5

log = logging.getLogger(__name__)


class Slot:
    """The supervisor, its trainers, and the thread that reports an idle slot as alive."""

    def __init__(
        self,
        settings: Settings,
        trainers: TrainerSource | None = None,
        *,
        hang_floor_s: float = silence.FLOOR_S,
    ) -> None:
        self._redis = connect_to_broker(settings.broker_url, timeout=1.0)
        self._presence_api = SlotApi(settings)
        self._trainers = trainers or trainer_source()
        self._api = SlotApi(settings)
        self._supervisor = Supervisor(
            self._api,
            self._trainers,
            self._send_lost,
            drain_s=settings.drain_s,
            hang_s=settings.hang_s,
            hang_floor_s=hang_floor_s,
        )
        self._stopped = threading.Event()
        self._presence = threading.Thread(
            target=self._report_presence, name="presence", daemon=True
        )

    def open(self) -> None:
        """Start what trainers need, and report the slot; call it from the process's main thread."""
        self._trainers.prepare()
        self._presence.start()

    def work(self) -> None:
        """Train queued runs until none is left."""
        self._supervisor.work()

    def stop(self) -> None:
        """Give back the run that is being trained; may be called from a signal handler."""
        self._stopped.set()
        self._supervisor.stop()

    def close(self) -> None:
        """Stop idle trainers and close all connections, where the process itself goes on."""
        self.stop()
        self._presence.join()
        self._trainers.close()
        self._presence_api.close()
        self._api.close()
        self._redis.close()

    def _send_lost(self, lost: Lost) -> bool:
        """Send the event of a lost attempt; return whether the broker took it."""
        try:
            self._redis.xadd(EVENT_STREAM, {EVENT_FIELD: encode(lost)})
        except redis.RedisError as error:
            log.warning("the broker does not answer, asking again: %s", error)
            return False
        return True

    def _report_presence(self) -> None:
        """Report the idle slot at intervals; while it trains a run, the heartbeats do so."""
        pause = 0.0
        while not self._stopped.wait(pause):
            pause = PRESENCE_S
            if self._supervisor.busy.is_set():
                continue
            try:
                self._presence_api.report_presence()
            except ApiUnavailableError:
                pause = PRESENCE_RETRY_S  # the calls that need the API log that it is away


class Supervisor:
    """Trains queued runs, one after the other. Call all but `stop` from the slot's main thread.

    Attributes:
        busy: set while a run is being trained.
    """

    def __init__(
        self,
        api: SlotApi,
        trainers: TrainerSource,
        send_lost: Callable[[Lost], bool],
        *,
        drain_s: float = 0.0,
        hang_s: float = 0.0,
        hang_floor_s: float = silence.FLOOR_S,
    ) -> None:
        """Take what the slot holds.

        Args:
            api: the slot's calls to the API.
            trainers: supplies a trainer for each run.
            send_lost: sends the event of a lost attempt; returns whether the broker took it.
            drain_s: seconds that a run has to end by itself when the slot is asked to stop.
            hang_s: longest time without a sign of life from a trainer; 0 for no limit.
            hang_floor_s: shortest such time that counts as a hang.
        """
        self._api = api
        self._trainers = trainers
        self._send_lost = send_lost
        self._api_is_away = False
        self._drain_s = drain_s
        self._hang_s, self._hang_floor_s = hang_s, hang_floor_s
        self._stopping = threading.Event()
        self.busy = threading.Event()

    def stop(self) -> None:
        """Claim no other run, and give the current one back at a checkpoint unless it ends within
        `drain_s`; may be called from a signal handler."""
        self._stopping.set()

    def work(self) -> None:
        """Train run after run until none is queued: one wake-up is enough for all of them."""
        while (claim := self._claim()) is not None:
            self.busy.set()
            try:
                self._supervise(claim)
            finally:
                self.busy.clear()
        if not self._stopping.is_set():
            self._trainers.prepare()

    def _claim(self) -> Claim | None:
        while not self._stopping.is_set():
            try:
                claim = self._api.claim()
            except ApiUnavailableError as error:
                self._log_api_changes(error)
                self._stopping.wait(RETRY_S)
            else:
                self._log_api_changes(None)
                return claim
        return None

    def _supervise(self, claim: Claim) -> None:
        trainer = self._trainers.take()
        trainer.log_context = logs.attempt_fields(claim.run, claim.attempt)
        log.info("a trainer takes it", extra=trainer.log_context)
        try:
            trainer.send(claim.model_dump())
            loss = self._watch(claim, trainer)
        finally:
            trainer.stop()
        if loss is not None:
            self._report_lost(claim, loss)

    def _watch(self, claim: Claim, trainer: TrainerProcess) -> Loss | None:
        """Keep the lease until the trainer exits or has hung; return why the attempt is lost, None
        if there is nothing left to report."""
        silent = Silence(trainer, self._hang_s, floor_s=self._hang_floor_s)
        watch = Watch(trainer, silent)
        prepare_at = next_heartbeat = time.monotonic()
        prepare_at += PREPARE_DELAY_S
        while not trainer.wait(TICK_S):
            now = time.monotonic()
            if self._stopping.is_set():
                watch.leave(now, self._drain_s)
            elif now >= prepare_at:
                self._trainers.prepare()
            if (loss := watch.loss(now)) is not None:
                return loss
            if now < next_heartbeat:
                continue
            next_heartbeat = now + (CLOSING_HEARTBEAT_S if watch.closing else HEARTBEAT_S)
            answer = self._heartbeat(claim)
            if answer is None:
                continue
            if not answer.current:
                log.warning("it is no longer ours", extra=trainer.log_context)
                return None
            trainer.send({"committed_seq": answer.committed_seq})
            if answer.over and not trainer.wait(OVER_GRACE_S):
                return None
            if answer.cancel:
                watch.cancel(time.monotonic())
        return watch.loss_by_exit()

    def _report_lost(self, claim: Claim, loss: Loss) -> None:
        """Report that the attempt stopped without an end, again and again until the backend has
        stored it or the slot is asked to stop."""
        level = logging.WARNING if loss.strike else logging.INFO
        log.log(level, "%s", loss.reason, extra=logs.attempt_fields(claim.run, claim.attempt))
        lost = Lost(run=claim.run, attempt=claim.attempt, **loss._asdict())
        send_at = time.monotonic()
        while True:
            if time.monotonic() >= send_at:
                sent = self._send_lost(lost)
                send_at = time.monotonic() + (RESEND_LOST_S if sent else RETRY_S)
            if self._stopping.is_set():
                return
            answer = self._heartbeat(claim)
            if answer is not None and answer.over:
                return
            self._stopping.wait(CLOSING_HEARTBEAT_S)

    def _heartbeat(self, claim: Claim) -> HeartbeatAnswer | None:
        """Renew the lease; None while the API is away."""
        try:
            answer = self._api.heartbeat(claim)
        except ApiUnavailableError as error:
            self._log_api_changes(error)
            return None
        self._log_api_changes(None)
        return answer

    def _log_api_changes(self, error: ApiUnavailableError | None) -> None:
        """Log once when the API goes away and once when it is back, not at every try."""
        if error and not self._api_is_away:
            log.warning("the API does not answer, asking again: %s", error)
        elif self._api_is_away and not error:
            log.warning("the API answers again")
        self._api_is_away = error is not None
