"""The Celery application of a slot. A message only wakes the slot up; nothing else depends on it.

Start one process per slot: `python -m celery -A worker.celery_app worker -Q lossboard.cpu`.
Which runs are queued is in the backend's database, so a wake-up that is lost, duplicated or late
does no harm.
"""

import functools
import logging
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from celery.worker import state
from celery.worker.consumer import Consumer

from contract import logs
from contract.names import WAKE_TASK, wake_queue
from worker.errors import SettingsError
from worker.settings import Settings
from worker.slot.slot import Slot

GIVE_BACK_S: Final = 3.2
"""Time that a slot without time to drain has to give its run back when it is asked to stop; Celery
stops after it."""
EXIT_AFTER_S: Final = 4.0
"""Time after which the process exits, even if Celery still waits for something."""
POLL_S: Final = 0.05
"""Between two looks at whether the slot is done."""

# Celery's words on root at each start; what it warns of, pickled messages, is not accepted here.
warnings.filterwarnings("ignore", category=SecurityWarning)

log = logging.getLogger(__name__)
try:
    settings = Settings.from_environment()
except SettingsError as error:
    sys.exit(f"settings cannot be used:\n{error}")
app = Celery("lossboard", broker=settings.broker_url, include=["worker.celery_app"])
app.conf.update(
    task_default_queue=wake_queue(settings.device),
    task_acks_late=False,
    task_ignore_result=True,
    worker_pool="prefork",
    worker_concurrency=1,
    worker_pool_start_method="spawn",  # a new interpreter: it inherits no lock that is in use
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
    """Return the slot of this pool child."""
    return Slot(settings)


@app.task(name=WAKE_TASK, ignore_result=True, acks_late=False)  # type: ignore[untyped-decorator]
def wake() -> None:
    """Train queued runs until none is left for this slot's device class."""
    this_slot = slot()
    # Here and not when the process starts: billiard sets its own handlers after that.
    signal.signal(signal.SIGTERM, lambda *_: this_slot.stop())
    this_slot.work()


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def set_up_logs(loglevel: int | None = None, **_: object) -> None:
    """Set up the product's log format, in both processes; a receiver of this signal keeps Celery
    from setting up its own."""
    logs.set_up_logging(settings.log_format, loglevel or logging.WARNING)


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def open_slot(**_: object) -> None:
    """Start what trainers need when the pool child starts, before the first run."""
    slot().open()


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def forward_stop(sender: Consumer, **_: object) -> None:
    """Replace the main process's handler of SIGTERM, so that the slot gives its run back before
    Celery stops."""
    celery_handler: Any = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, _StopHandler(sender, celery_handler))


class _StopHandler:
    """The main process's handler of SIGTERM: stops the slot, then Celery; a second signal stops
    Celery at once."""

    def __init__(
        self, consumer: Consumer, celery_handler: Callable[[int, FrameType | None], None]
    ) -> None:
        self._consumer = consumer
        self._celery_handler = celery_handler
        self._stopping = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self._stopping:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # Celery is stopped only once
            _exit_after(EXIT_AFTER_S)
            self._celery_handler(number, frame)
            return
        self._stopping = True
        _exit_after(settings.drain_s + EXIT_AFTER_S)
        for pid in self._consumer.pool.info["processes"]:
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                log.info("pool child %d had ended already", pid)
        # Celery may begin to stop only when the slot is done: its stop sleeps while a task runs.
        threading.Thread(target=self._stop_celery_after_slot, daemon=True).start()

    def _stop_celery_after_slot(self) -> None:
        until = time.monotonic() + settings.drain_s + GIVE_BACK_S
        while state.active_requests and time.monotonic() < until:
            time.sleep(POLL_S)
        os.kill(os.getpid(), signal.SIGTERM)  # the handler must run in the main thread


def _exit_after(seconds: float) -> None:
    """Exit this process after a number of seconds, unless it has exited by then."""
    guard = threading.Timer(seconds, os._exit, [1])
    guard.daemon = True
    guard.start()
