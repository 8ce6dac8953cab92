"""A thread that stores the figures of runs that have succeeded.

Of a run that has just ended at once; of those of earlier versions, or whose figures the API had no
time to store, one after another after its start. It reads in a view of its own, which no writer
waits for, and each run's figures are stored in one short transaction.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy.exc import OperationalError

from backend.db.database import Database, Write
from backend.db.models import Comparison, Run
from backend.metrics.run_figures import (
    Figures,
    compute_figures,
    find_without_figures,
    store_figures,
)
from backend.metrics.run_states import earlier_states
from backend.runs import repository as runs

log = logging.getLogger(__name__)

SEARCHED_TOGETHER: Final = 100
"""Runs that one search returns."""
MIN_PAUSE_S: Final = 0.01
"""Between two runs. It is as long as the run before took: half of the time is left to others."""
RETRY_S: Final = 1.0


class FiguresKeeper(threading.Thread):
    """The thread; `keep_soon` names runs that have just succeeded."""

    def __init__(self, database: Database) -> None:
        super().__init__(name="figures", daemon=True)
        self._database = database
        self.then: Callable[[], bool] = lambda: False
        """Called when no figures are missing; returns whether it has more to do."""
        self._ended: deque[str] = deque()
        self._old: deque[str] = deque()
        self._searched = ""
        self._all_searched = False
        self._woken = threading.Event()
        self._stopped = threading.Event()

    def keep_soon(self, ended: Iterable[str]) -> None:
        """Store the figures of these runs; may be called from any thread."""
        self._ended.extend(ended)
        self._woken.set()

    def wake(self) -> None:
        """Look again whether there is something to do; may be called from any thread."""
        self._woken.set()

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopped.set()
        self._woken.set()

    def run(self) -> None:
        """Store figures until stopped, whatever fails meanwhile."""
        while not self._stopped.is_set():
            began = time.monotonic()
            try:
                more = self.step()
            except OperationalError as error:
                log.warning("the database is busy, figures are stored a little later: %s", error)
                self._stopped.wait(RETRY_S)
            except Exception:
                log.exception("storing figures failed and is tried again")
                self._stopped.wait(RETRY_S)
            else:
                if more:
                    self._stopped.wait(max(MIN_PAUSE_S, time.monotonic() - began))
                else:
                    self._woken.wait()
                    self._woken.clear()

    def step(self) -> bool:
        """Store the figures of one run, or search for more; return whether there is more to do.

        Raises:
            OperationalError: the database is busy; the next step tries again.
        """
        if not self._ended and not self._old and not self._all_searched:
            self._search()
        waiting = self._ended or self._old
        if waiting:
            self._keep(waiting[0])  # it stays in place where the database is busy
            waiting.popleft()
        if self._ended or self._old or not self._all_searched:
            return True
        return self.then()

    def _search(self) -> None:
        with self._database.read() as session:
            found = find_without_figures(session, after=self._searched, limit=SEARCHED_TOGETHER)
        self._old.extend(found)
        if found:
            self._searched = found[-1]
        self._all_searched = len(found) < SEARCHED_TOGETHER

    def _keep(self, run: str) -> None:
        try:
            keep_figures(self._database, run)
        except OperationalError:
            raise
        except Exception:  # it must not hold up the others
            log.exception("the figures of run %s cannot be computed", run)


def keep_figures(database: Database, run: str) -> None:
    """Compute and store a run's figures, unless it is gone or has not succeeded, or is of a trial,
    which no verdict reads."""
    with database.read() as session:
        row = runs.by_id(session, [run]).get(run)
        if row is None or row.state != "succeeded" or row.role != "final":
            return
        figures = compute_figures(session, [row])[run]
    with database.write() as write:
        now = runs.by_id(write.session, [run]).get(run)
        if now is not None and (now.state, now.attempt) == ("succeeded", row.attempt):
            store_figures(write.session, now, figures)
            _tell_earlier_states(write, now, figures)


def _tell_earlier_states(write: Write, run: Run, figures: Figures) -> None:
    """Store the states of a run whose worker was of a version that told none."""
    comparison = write.session.get(Comparison, run.comparison_id)
    if run.versions is not None or run.states or comparison is None:
        return
    if states := earlier_states(run, figures, comparison.spec):
        run.states = states
        write.session.add(run)
        write.update_of(run).runs[run.id] = run
