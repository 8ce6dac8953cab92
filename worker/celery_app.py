"""The Celery side of a slot: a message wakes it, and nothing more depends on the message.

Start one process a slot: `python -m celery -A worker.celery_app worker -Q lossboard.cpu`.
The database row owns the job; a wake-up that is lost, doubled or late does no harm.
"""

import functools
import logging
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

from celery import Celery, signals
from celery.worker.consumer import Consumer

from contract.names import WAKE_TASK, wake_queue
from worker.settings import Settings
from worker.slot import Slot

GONE_AFTER_S: Final = 4.0
"""A slot that was asked to stop leaves by then, whatever Celery still waits for."""

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
    worker_hijack_root_logger=True,
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


@signals.worker_process_init.connect  # type: ignore[untyped-decorator]
def open_slot(**_: object) -> None:
    """In the pool child: warm the spare before anybody asks."""
    slot().open()


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def pass_the_stop_on(sender: Consumer, **_: object) -> None:
    """In the main process: tell the pool child first, then stop as Celery does."""
    celerys_own: Any = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, functools.partial(_stop, sender, celerys_own))


def _stop(
    consumer: Consumer,
    celerys_own: Callable[[int, FrameType | None], None],
    number: int,
    frame: FrameType | None,
) -> None:
    guard = threading.Timer(GONE_AFTER_S, os._exit, [1])
    guard.daemon = True
    guard.start()
    for pid in consumer.pool.info["processes"]:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            log.info("pool child %d had ended already", pid)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough
    celerys_own(number, frame)
