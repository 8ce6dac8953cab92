"""A thread that looks, about once a second, for dead workers, waiting runs and old data."""

import logging
import threading
from collections.abc import Callable
from typing import Final

from kombu.exceptions import OperationalError as KombuError
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from backend.db.database import Database
from backend.http.times import CLOCK, SteadyClock
from backend.maintenance.clock_jumps import follow_jump
from backend.maintenance.retention import Retention
from backend.metrics import points
from backend.runs import repository as runs
from backend.tuning.engine import Engine
from backend.workers.registry import Lease, Leases, Workers
from backend.workers.wakeups import WakeQueue
from contract import logs

log = logging.getLogger(__name__)

PERIOD_S: Final = 1.0
STEPS_PER_SWEEP: Final = 5
"""Transactions that a sweep spends on deleting points, and steps of the retention."""


class Sweeper(threading.Thread):
    """The sweeping thread; `sweep_soon` makes it sweep at once."""

    def __init__(
        self,
        database: Database,
        leases: Leases,
        workers: Workers,
        queue: WakeQueue,
        *,
        has_processed: Callable[[str], bool],
        tuning: Engine | None = None,
        retention: Retention | None = None,
        clock: SteadyClock = CLOCK,
    ) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._database = database
        self._leases = leases
        self._workers = workers
        self._queue = queue
        self._has_processed = has_processed
        self._tuning = tuning
        self._retention = retention
        self._clock = clock
        self._woken = threading.Event()
        self._stopped = threading.Event()
        self._broker_away = False

    def sweep_soon(self) -> None:
        """Sweep now: runs were queued or slots became free."""
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
        """Look at everything once. What needs the broker waits while it does not answer."""
        follow_jump(self._database, self._clock)
        reached = self._reach_broker(self._lose_lapsed_attempts)
        if self._tuning is not None:
            self._tuning.advance()  # before the wake-ups for the runs that it queues
        if self._reach_broker(self.wake) and reached:
            self._broker_away = False
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
        """Send wake-ups while more runs are queued than wake-ups wait in the queues.

        Every device class with live slots gets wake-ups for the runs that its slots may take.

        Raises:
            redis.RedisError, kombu.exceptions.OperationalError: the broker does not answer.
        """
        classes = self._workers.alive() or {"cpu": 1}
        offered = self._workers.digests_by_device()
        with self._database.read() as session:
            queued = {
                device: runs.count_queued(session, device, offered.get(device, ()))
                for device in classes
            }
        for device, slots in classes.items():
            if queued[device]:
                self._queue.top_up(device, queued[device], slots)

    def _reach_broker(self, step: Callable[[], None]) -> bool:
        """Do a step that needs the broker; return whether it answered."""
        try:
            step()
        except (RedisError, KombuError, OSError) as error:
            if not self._broker_away:
                log.warning("the broker does not answer: %s", error)
            self._broker_away = True
            return False
        return True

    def _lose_lapsed_attempts(self) -> None:
        for lease in self._leases.lapsed():
            self._lose_lapsed_attempt(lease)

    def _lose_lapsed_attempt(self, lease: Lease) -> None:
        """Lose the attempt of a worker that fell silent.

        The end of its run may still be in the stream: wait until that has been processed.
        """
        if lease.tail is None:
            lease.tail = self._queue.tail()
        if not self._has_processed(lease.tail):
            return
        with self._database.write() as write:
            run = runs.by_id(write.session, [lease.run]).get(lease.run)
            silent = self._leases.holds(lease)  # not if a heartbeat arrived meanwhile
            current = run is not None and run.state == "running" and run.attempt == lease.attempt
            if run is not None and current and silent:
                fields = logs.attempt_fields(run.id, run.attempt)
                log.warning("no sign of life from %s", run.worker, extra=fields)
                reason = f"no sign of life from worker {run.worker}"
                runs.lose_attempt(write, run, reason=reason, strike=lease.strike, now=self._clock())
        self._leases.end(lease)
