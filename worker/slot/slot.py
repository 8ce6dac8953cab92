"""A slot: all that a Celery pool child holds from its start to its end."""

import logging
import threading
from collections.abc import Callable
from typing import Final

import redis

from contract.events import Lost, encode
from contract.names import EVENT_FIELD, EVENT_STREAM
from worker.api.client import SlotApi
from worker.errors import ApiUnavailableError
from worker.reporting.stream_reporter import connect_to_broker
from worker.settings import Settings
from worker.slot.supervisor import Supervisor
from worker.slot.trainer_process import SpareTrainer, TrainerProcess

PRESENCE_S: Final = 5.0
"""Between two reports that an idle slot is alive."""
PRESENCE_RETRY_S: Final = 1.0

log = logging.getLogger(__name__)


class Slot:
    """The supervisor, the spare trainer, and the thread that reports an idle slot as alive."""

    def __init__(
        self,
        settings: Settings,
        start_trainer: Callable[[], TrainerProcess] = TrainerProcess.start,
    ) -> None:
        self._redis = connect_to_broker(settings.broker_url, timeout=1.0)
        self._presence_api = SlotApi(settings)
        self._spare = SpareTrainer(start_trainer)
        self._api = SlotApi(settings)
        self._supervisor = Supervisor(
            self._api, self._spare, self._send_lost, drain_s=settings.drain_s
        )
        self._stopped = threading.Event()
        self._presence = threading.Thread(
            target=self._report_presence, name="presence", daemon=True
        )

    def open(self) -> None:
        """Warm up the spare trainer and report the slot; call it from the process's main thread."""
        self._spare.prepare()
        self._presence.start()

    def work(self) -> None:
        """Train queued runs until none is left."""
        self._supervisor.work()

    def stop(self) -> None:
        """Give back the run that is being trained; may be called from a signal handler."""
        self._stopped.set()
        self._supervisor.stop()

    def close(self) -> None:
        """Stop the spare trainer and close all connections, where the process itself goes on."""
        self.stop()
        self._presence.join()
        self._spare.close()
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
