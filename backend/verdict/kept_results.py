"""Compute and store what the board shows of comparisons whose runs have ended.

The thread of backend.maintenance.run_figures takes these steps when it has stored the figures of
all runs. Comparisons of earlier versions, and those whose results the API had no time to store, are
found by a search after its start and whenever runs have ended.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from backend.comparisons.results import (
    BestArm,
    Result,
    ended_runs,
    find_without_result,
    store_result,
)
from backend.db.database import Commit, Database
from backend.db.models import Comparison
from backend.errors import HttpError
from backend.verdict.leaderboard import leaderboard
from backend.verdict.leaderboard_schemas import LeaderboardMetric
from backend.verdict.service import give_verdict

log = logging.getLogger(__name__)

SEARCHED_TOGETHER: Final = 100
"""Comparisons that one search returns."""
_OPEN: Final = ("queued", "running")


class ResultsKeeper:
    """The steps; `see` is told of every commit."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.wake: Callable[[], None] = lambda: None
        """Called, from any thread, when there is something to do."""
        self._waiting: deque[str] = deque()
        self._searched = ""
        self._all_searched = False

    def see(self, commit: Commit) -> None:
        """Take note of runs that have ended; never blocks."""
        ended = [
            run.comparison_id
            for update in commit.updates.values()
            for run in update.runs.values()
            if run.role == "final" and run.state not in _OPEN
        ]
        if ended:
            self._waiting.extend(dict.fromkeys(ended))
            self.wake()

    def step(self) -> bool:
        """Store the result of one comparison, or search for more; return whether there is more to
        do.

        Raises:
            OperationalError: the database is busy; the next step tries again.
        """
        if not self._waiting and not self._all_searched:
            with self._database.read() as session:
                found = find_without_result(session, after=self._searched, limit=SEARCHED_TOGETHER)
            self._waiting.extend(found)
            self._searched = found[-1] if found else self._searched
            self._all_searched = len(found) < SEARCHED_TOGETHER
        if self._waiting:
            self._keep(self._waiting[0])  # it stays in place where the database is busy
            self._waiting.popleft()
        return bool(self._waiting) or not self._all_searched

    def _keep(self, comparison: str) -> None:
        try:
            keep_result(self._database, comparison)
        except OperationalError:
            raise
        except Exception:  # it must not hold up the others
            log.exception("the result of comparison %s cannot be computed", comparison)


def keep_result(database: Database, comparison: str) -> None:
    """Compute and store a comparison's result, unless it is gone or a final run of it is open."""
    with database.read() as session:
        before = ended_runs(session, [comparison]).get(comparison)
        found = session.get(Comparison, comparison)
        if before is None or found is None:
            return
        result = compute_result(session, found)
    with database.write() as write:
        now = write.session.get(Comparison, comparison)
        if now is not None and ended_runs(write.session, [comparison]).get(comparison) == before:
            store_result(write.session, now, before, result)


def compute_result(session: Session, comparison: Comparison) -> Result:
    """Return the best arm and the tally of the claims, from the runs that have succeeded."""
    try:
        metrics = leaderboard(session, comparison).metrics
        verdict = give_verdict(session, comparison)
    except HttpError as error:  # its spec, of another version, cannot be read any more
        return Result(best=None, claims=None, no_claims=error.message)
    if verdict.arms is None or not verdict.seeds:
        return Result(best=_best(metrics), claims=None, no_claims=verdict.summary)
    words = [claim.verdict for claim in verdict.claims]
    tally = {word: words.count(word) for word in dict.fromkeys(words)}
    return Result(best=_best(metrics), claims=tally, no_claims="")


def _best(metrics: list[LeaderboardMetric]) -> BestArm | None:
    """Return the best arm in the first metric, which is the main one."""
    if not metrics or not metrics[0].best:
        return None
    main = metrics[0]
    best = main.best[0]
    [own] = [arm for arm in main.arms if arm.arm == best]
    if own.mean is None:
        return None
    return BestArm(
        arm=best,
        metric=main.key,
        label=main.label,
        better=main.better,
        mean=own.mean,
        sd=own.sd,
        n=own.n,
        level_with=sum(best in pair for pair in main.not_told_apart),
    )
