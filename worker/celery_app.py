"""The Celery side of a slot: a message wakes it, and nothing more depends on the message.

Start one process a slot: `python -m celery -A worker.celery_app worker -Q lossboard.cpu`.
The database row owns the job; a wake-up that is lost, doubled or late does no harm.
"""

import functools
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from celery import Celery, signals
from celery.worker import state
from celery.worker.consumer import Consumer

from contract import logs
from contract.names import WAKE_TASK, wake_queue
from worker.settings import Settings
from worker.slot.slot import Slot

GIVE_BACK_S: Final = 3.2
"""How long a slot that was asked to stop, and has no time to drain, may take to give its run back;
Celery stops then."""
EXIT_AFTER_S: Final = 4.0
"""By then it is gone, whatever Celery still waits for."""
POLL_S: Final = 0.05

log = logging.getLogger(__name__)
settings = Settings.from_environment()
app = Celery("lossboard", broker=settings.broker_url, include=["worker.celery_app"])
app.conf.update(
    task_default_queue=wake_queue(settings.device),
    task_acks_late=False,
    task_ignore_result=True,
    worker_pool="prefork",
    worker_concurrency=1,
    worker_pool_start_method="spawn",  # a fresh interpreter: no lock is inherited in mid-use
    worker_disable_prefetch=True,
    worker_proc_alive_timeout=30.0,  # a spawned child imports everything first
    worker_soft_shutdown_timeout=2.0,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={"visibility_timeout": 12 * 3600},
)


@functools.cache
def slot() -> Slot:
    """The slot of this pool child."""
    return Slot(settings)


@app.task(name=WAKE_TASK, ignore_result=True, acks_late=False)  # type: ignore[untyped-decorator]
def wake() -> None:
    """Train until nothing is queued for this slot's device class."""
    own = slot()
    # Here and not when the process starts: billiard sets its own handlers after that.
    signal.signal(signal.SIGTERM, lambda *_: own.stop())
    own.work()


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def set_up_logs(loglevel: int | None = None, **_: object) -> None:
    """In both processes: write as ours do. That somebody listens keeps Celery from its own way."""
    logs.set_up(settings.log_format, loglevel or logging.WARNING)


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def open_slot(**_: object) -> None:
    """In the pool child: warm the spare before anybody asks."""
    slot().open()


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def forward_stop(sender: Consumer, **_: object) -> None:
    """In the main process: let the slot give its run back first, then stop as Celery does."""
    celerys_own: Any = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, _StopHandler(sender, celerys_own))


class _StopHandler:
    """The main process's handler of SIGTERM; a second one waits for nothing any more."""

    def __init__(
        self, consumer: Consumer, celerys_own: Callable[[int, FrameType | None], None]
    ) -> None:
        self._consumer = consumer
        self._celerys_own = celerys_own
        self._asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._asked:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
            _exit_after(EXIT_AFTER_S)
            self._celerys_own(number, frame)
            return
        self._asked = True
        _exit_after(settings.drain_s + EXIT_AFTER_S)
        for pid in self._consumer.pool.info["processes"]:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                log.info("pool child %d had ended already", pid)
        # Celery's own stop may begin only when the slot is done: it sleeps while a task runs.
        threading.Thread(target=self._wait_for_the_slot, daemon=True).start()

    def _wait_for_the_slot(self) -> None:
        until = time.monotonic() + settings.drain_s + GIVE_BACK_S
        while state.active_requests and time.monotonic() < until:
            time.sleep(POLL_S)
        os.kill(os.getpid(), signal.SIGTERM)  # its handler belongs to the main thread


def _exit_after(seconds: float) -> None:
    guard = threading.Timer(seconds, os._exit, [1])
    guard.daemon = True
    guard.start()
