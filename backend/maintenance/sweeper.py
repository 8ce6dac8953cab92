"""Looks after what nobody else does, about once a second: dead workers, wake-ups, what is old."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from kombu.exceptions import OperationalError as KombuError
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from backend.db.database import Database
from backend.maintenance.retention import Retention
from backend.metrics import points
from backend.runs import repository as runs
from backend.workers.registry import Lease, Leases, Workers
from backend.workers.wakeups import WakeQueue
from contract import logs

log = logging.getLogger(__name__)

PERIOD_S: Final = 1.0
STEPS_PER_SWEEP: Final = 5
"""Transactions a sweep spends on deleting points."""


class Sweeper(threading.Thread):
    """One thread; `sweep_soon` makes it look at once."""

    def __init__(
        self,
        database: Database,
        leases: Leases,
        workers: Workers,
        queue: WakeQueue,
        *,
        has_processed: Callable[[str], bool],
        retention: Retention | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._database = database
        self._leases = leases
        self._workers = workers
        self._queue = queue
        self._has_processed = has_processed
        self._retention = retention
        self._clock = clock
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._away = False

    def sweep_soon(self) -> None:
        """Runs were queued or slots became free: look now."""
        self._woken.set()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopped.set()
        self._woken.set()

    def run(self) -> None:
        """Sweep until stopped, whatever fails meanwhile."""
        while not self._stopped.is_set():
            try:
                self.sweep()
            except OperationalError as error:
                log.warning("the sweep met a busy database and is tried again: %s", error)
            except Exception:
                log.exception("the sweep failed and is tried again")
            self._woken.wait(PERIOD_S)
            self._woken.clear()
        self._queue.close()

    def sweep(self) -> None:
        """One look at everything. What needs the broker waits while it is away."""
        try:
            for lease in self._leases.lapsed():
                self._judge(lease)
            self.wake()
        except (RedisError, KombuError, OSError) as error:
            if not self._away:
                log.warning("the broker does not answer: %s", error)
            self._away = True
        else:
            self._away = False
        for _ in range(STEPS_PER_SWEEP):
            with self._database.read() as session:
                if not points.any_discarded(session):
                    break
            with self._database.write() as write:
                points.purge_discarded(write.session)
        for _ in range(STEPS_PER_SWEEP):
            if self._retention is None or not self._retention.step():
                break

    def wake(self) -> None:
        """Send wake-ups while more runs are queued than wait in the queues.

        Every device class with living slots is woken for what its slots may take.

        Raises:
            redis.RedisError, kombu.exceptions.OperationalError: the broker is away.
        """
        classes = self._workers.alive() or {"cpu": 1}
        with self._database.read() as session:
            queued = {device: runs.count_queued(session, device) for device in classes}
        for device, slots in classes.items():
            if queued[device]:
                self._queue.top_up(device, queued[device], slots)

    def _judge(self, lease: Lease) -> None:
        """A worker fell silent. Its run's end may still be in the stream: first let that pass."""
        if lease.tail is None:
            lease.tail = self._queue.tail()
        if not self._has_processed(lease.tail):
            return
        with self._database.write() as write:
            run = runs.by_id(write.session, [lease.run]).get(lease.run)
            silent = self._leases.holds(lease)  # or a heartbeat came meanwhile
            mine = run is not None and run.state == "running" and run.attempt == lease.attempt
            if run is not None and mine and silent:
                whose = logs.of(run.id, run.attempt)
                log.warning("no sign of life from %s", run.worker, extra=whose)
                reason = f"no sign of life from worker {run.worker}"
                runs.lose_attempt(write, run, reason=reason, strike=lease.strike, now=self._clock())
        self._leases.end(lease)
