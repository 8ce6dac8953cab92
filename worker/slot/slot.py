"""A slot: all that a Celery pool child holds, and its work.

The work: claim a run, or several that are trained together, hand them to a trainer, and watch it
until their ends are stored. While none is trained, a thread reports that the slot is alive.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import redis

from contract import logs
from contract.events import Lost, encode
from contract.names import EVENT_FIELD, EVENT_STREAM
from worker.api.client import Claim, HeartbeatAnswer, SlotApi
from worker.errors import ApiUnavailableError
from worker.reporting.event_sender import connect_to_broker
from worker.settings import Settings
from worker.slot import silence
from worker.slot.attempts import RETRY_S, Attempts
from worker.slot.plugins import SlotPlugins
from worker.slot.silence import Silence
from worker.slot.trainer_process import TrainerProcess
from worker.slot.trainers import TrainerSource, trainer_source
from worker.slot.usage import UsageReader
from worker.slot.watch import CANCELLED, Loss, Watch

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

log = logging.getLogger(__name__)


class Slot:
    """The supervisor, its trainers and plug-ins, and the thread that reports an idle slot."""

    def __init__(
        self,
        settings: Settings,
        trainers: TrainerSource | None = None,
        *,
        hang_floor_s: float = silence.FLOOR_S,
        plugins: SlotPlugins | None = None,
    ) -> None:
        self.plugins = plugins or SlotPlugins(settings)
        self._redis = connect_to_broker(settings.broker_url, timeout=1.0)
        self._presence_api = SlotApi(settings, self.plugins.digests)
        self._trainers = trainers or trainer_source()
        self._api = SlotApi(settings, self.plugins.digests)
        self._supervisor = Supervisor(
            self._api,
            self._trainers,
            self._send_lost,
            drain_s=settings.drain_s,
            hang_s=settings.hang_s,
            hang_floor_s=hang_floor_s,
            located=self.plugins.located,
        )
        self._stopped = threading.Event()
        self._presence = threading.Thread(
            target=self._report_presence, name="presence", daemon=True
        )

    def open(self) -> None:
        """Start what trainers need, and report the slot; call it from the process's main thread."""
        self._trainers.prepare()
        self._presence.start()
        self.plugins.open()

    def work(self) -> None:
        """Train queued runs until none is left."""
        self._supervisor.work()

    def stop(self) -> None:
        """Give back the runs that are being trained; may be called from a signal handler."""
        self._stopped.set()
        self._supervisor.stop()

    def close(self) -> None:
        """Stop idle trainers and close all connections, where the process itself goes on."""
        self.stop()
        self.plugins.close()
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
        located: Callable[[Claim], Claim] = lambda claim: claim,
    ) -> None:
        """Take what the slot holds.

        Args:
            api: the slot's calls to the API.
            trainers: supplies a trainer for each run.
            send_lost: sends the event of a lost attempt; returns whether the broker took it.
            drain_s: seconds that a run has to end by itself when the slot is asked to stop.
            hang_s: longest time without a sign of life from a trainer; 0 for no limit.
            hang_floor_s: shortest such time that counts as a hang.
            located: says in a claim where its plug-in lies.
        """
        self._api = api
        self._trainers = trainers
        self._send_lost = send_lost
        self._located = located
        self._api_is_away = False
        self._drain_s = drain_s
        self._hang_s, self._hang_floor_s = hang_s, hang_floor_s
        self._stopping = threading.Event()
        self.busy = threading.Event()

    def stop(self) -> None:
        """Claim no other run, and give the current ones back at a checkpoint unless they end within
        `drain_s`; may be called from a signal handler."""
        self._stopping.set()

    def work(self) -> None:
        """Train run after run until none is queued: one wake-up is enough for all of them."""
        while claims := self._claim():
            self.busy.set()
            try:
                self._supervise(claims)
            finally:
                self.busy.clear()
        if not self._stopping.is_set():
            self._trainers.prepare()

    def _claim(self) -> list[Claim]:
        while not self._stopping.is_set():
            try:
                claims = self._api.claim()
            except ApiUnavailableError as error:
                self._log_api_changes(error)
                self._stopping.wait(RETRY_S)
            else:
                self._log_api_changes(None)
                return claims
        return []

    def _supervise(self, claims: Sequence[Claim]) -> None:
        """Have one trainer train a run, or several together."""
        trainer = self._trainers.take()
        if len(claims) == 1:
            trainer.log_context = logs.attempt_fields(claims[0].run, claims[0].attempt)
        for claim in claims:
            extra = logs.attempt_fields(claim.run, claim.attempt)
            log.info("a trainer takes it", extra=extra)
        usage = UsageReader(lambda: trainer.pid, self._api.device)
        beat = partial(self._heartbeats, usage=usage)
        attempts = Attempts(claims, beat, self._send_lost)
        watch = Watch(trainer, Silence(trainer, self._hang_s, floor_s=self._hang_floor_s))
        try:
            located = [self._located(claim) for claim in claims]
            trainer.send({"claims": [claim.model_dump() for claim in located]})
            loss = self._watch(attempts, trainer, watch)
        finally:
            trainer.stop()
        if loss is not None:
            attempts.lose(loss, watch, lambda: self._stopping.wait(CLOSING_HEARTBEAT_S))

    def _watch(self, attempts: Attempts, trainer: TrainerProcess, watch: Watch) -> Loss | None:
        """Keep the leases until the trainer exits or has hung; return why the attempts that are
        left are lost, None if there is nothing left to report."""
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
            if attempts.lose_overdue(watch, now):
                return CANCELLED
            if now < next_heartbeat:
                continue
            next_heartbeat = now + (CLOSING_HEARTBEAT_S if watch.closing else HEARTBEAT_S)
            is_stored = attempts.beat(trainer, watch)
            if not attempts.left:
                if is_stored:
                    trainer.wait(OVER_GRACE_S)
                return None
        return watch.loss_by_exit()

    def _heartbeats(
        self, claims: Sequence[Claim], usage: UsageReader
    ) -> list[HeartbeatAnswer] | None:
        """Renew leases and tell what the trainer uses; None while the API is away."""
        try:
            now_used = usage.read()
            answers = self._api.heartbeats(claims, now_used and now_used._asdict())
        except ApiUnavailableError as error:
            self._log_api_changes(error)
            return None
        self._log_api_changes(None)
        return answers

    def _log_api_changes(self, error: ApiUnavailableError | None) -> None:
        """Log once when the API goes away and once when it is back, not at every try."""
        if error and not self._api_is_away:
            log.warning("the API does not answer, asking again: %s", error)
        elif self._api_is_away and not error:
            log.warning("the API answers again")
        self._api_is_away = error is not None
