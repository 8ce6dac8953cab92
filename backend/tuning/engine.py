"""Takes the steps of searches: trial over -> its value; round over -> the next; all over -> finals.

The sweeper calls it, at once when a run has ended. What a step needs is read and computed first;
then one transaction writes all of it, and only if the search has not changed meanwhile. So a search
stands before a step or after it, never within one, also after a kill.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, NamedTuple

from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from backend.db.database import Database, Write
from backend.db.models import Comparison
from backend.errors import ConflictError, NotFoundError
from backend.http.dependencies import from_state
from backend.tuning import repository, values
from backend.tuning.budget import check_runs
from backend.tuning.repository import Search
from backend.tuning.steps import Step, first_trials, next_step, next_trials
from backend.tuning.values import Judged
from contract.comparison.problems import Problem, SpecError
from contract.comparison.spec import ComparisonSpec

log = logging.getLogger(__name__)

MAX_TRIALS: Final = 500
"""Of each arm; the same limit as in a spec."""
_TRIES: Final = 5
"""How often a change is computed anew because the search went on meanwhile."""
_FIRST_PAUSE_S: Final = 2.0
"""Before a step that failed is tried again; each further pause is twice as long."""
_LONGEST_PAUSE_S: Final = 600.0


class Failed(NamedTuple):
    """A step that could not be taken."""

    times: int
    """In a row."""
    again_at: float
    """When it is tried again, in seconds since the epoch."""
    problem: str
    """For people."""


class Engine:
    """Takes the steps of all searches; only `problem` may be called from other threads."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._failed: dict[str, Failed] = {}

    def advance(self) -> None:
        """Take the next step of every search whose runs allow one.

        One that fails is tried again after a pause, which grows; the others go on.

        Raises:
            sqlalchemy.exc.OperationalError: the database is busy; the step is taken later.
        """
        with self._database.read() as session:
            ready = repository.ready_trials(session)
        for comparison in self._failed.keys() - ready.keys():
            del self._failed[comparison]  # deleted, or a run of it was queued again
        for comparison in ready:
            before = self._failed.get(comparison)
            if before is not None and self._clock() < before.again_at:
                continue
            try:
                self._advance_one(comparison)
            except OperationalError:
                raise
            except NotFoundError:
                continue  # deleted meanwhile
            except Exception as error:  # noqa: BLE001 - of whatever kind, it is told and logged
                self._failed[comparison] = self._note_failure(comparison, before, error)
            else:
                self._failed.pop(comparison, None)

    def problem(self, comparison: str) -> str | None:
        """Return why a search stands still, although its runs allow the next step; None if it does
        not."""
        failed = self._failed.get(comparison)
        return None if failed is None else failed.problem

    def _note_failure(self, comparison: str, before: Failed | None, error: Exception) -> Failed:
        times = 1 if before is None else before.times + 1
        pause = min(_FIRST_PAUSE_S * 2 ** min(times - 1, 16), _LONGEST_PAUSE_S)
        log.exception(
            "the search of comparison %s cannot go on; it is tried again in %.0f s",
            comparison,
            pause,
        )
        said = (
            str(error) if isinstance(error, ConflictError) else f"{type(error).__name__}: {error}"
        )
        problem = (
            f"its next step failed and is tried again and again; the API's log says more ({said})"
        )
        return Failed(times, self._clock() + pause, problem)

    def _advance_one(self, comparison: str) -> None:
        for _ in range(_TRIES):
            with self._database.read() as session:
                search = repository.load(session, comparison)
                judged = _judge(session, search)
            step = next_step(search.spec, search.trials, judged, has_finals=search.has_finals)
            with self._database.write() as write:
                now = repository.load(write.session, comparison)
                if now.is_still(search):
                    _write(write, now, step, self._clock())
                    return


def begin(write: Write, comparison: Comparison, spec: ComparisonSpec, now: float) -> None:
    """Create the first trials of a comparison that has just been stored.

    Raises:
        SpecError: no settings in the space of an arm fit together; names each such arm.
    """
    repository.add_trials(write, comparison, first_trials(spec), now)


def add_trials(database: Database, comparison: str, more: int, *, most: int, now: float) -> None:
    """Give every arm more trials.

    Args:
        database: where they are.
        comparison: whose arms.
        more: number of trials that each arm gets.
        most: runs that one comparison may have.
        now: seconds since the epoch.

    Raises:
        NotFoundError: no comparison has this id.
        ConflictError: it is not tuned, or its final runs exist: the test split counts from then on.
        SpecError: it would have too many trials or runs.
    """
    for _ in range(_TRIES):
        with database.read() as session:
            search = repository.load(session, comparison)
        larger = _enlarged(search, more, most)
        step = Step(proposed=next_trials(larger, search.trials))
        with database.write() as write:
            found = repository.load(write.session, comparison)
            if found.is_still(search):
                found.comparison.spec = {
                    **found.comparison.spec,
                    "tuning": larger.model_dump(mode="json")["tuning"],
                }
                write.session.add(found.comparison)
                _write(write, found, step, now)
                return
    raise ConflictError("the search of this comparison goes on too fast; try again")


def seed_problems(section: Mapping[str, Any], seeds: Sequence[int]) -> list[Problem]:
    """Return which of these new seeds of final runs are seeds of trials; the two must differ.

    Args:
        section: the tuning of a stored spec.
        seeds: the new ones.
    """
    return [
        Problem(f"seeds[{at}]", f"{seed} is a seed of the trials; final runs need others")
        for at, seed in enumerate(seeds)
        if seed in section["trial_seeds"]
    ]


def add_seeds(write: Write, comparison: Comparison, seeds: Sequence[int], now: float) -> None:
    """Queue final runs for new seeds, if a search is over; otherwise they come with the others."""
    best = repository.best_of_finals(write.session, comparison.id)
    repository.add_finals(write, comparison, best, seeds, now)


def _enlarged(search: Search, more: int, most: int) -> ComparisonSpec:
    """Return a search's spec with more trials.

    Raises:
        ConflictError: its final runs exist.
        SpecError: it would have too many trials or runs.
    """
    if search.has_finals:
        raise ConflictError(
            "the final runs of this comparison exist, so its search is over; duplicate the "
            "comparison and give the copy more trials"
        )
    total = search.tuning.trials + more
    if total > MAX_TRIALS:
        message = f"an arm has at most {MAX_TRIALS} trials; it would have {total}"
        raise SpecError([Problem("trials", message)])
    tuning = search.tuning.model_copy(update={"trials": total})
    larger = search.spec.model_copy(update={"tuning": tuning})
    check_runs(larger, most, "trials")
    return larger


def _judge(session: Session, search: Search) -> dict[str, Judged]:
    """Return what came out of the trials whose runs are all over."""
    runs = repository.runs_of(session, search.ready)
    every = [run for own in runs.values() for run in own]
    best = values.run_values(session, every, search.tuning.objective)
    return {trial: values.judge(own, best) for trial, own in runs.items()}


def _write(write: Write, search: Search, step: Step, now: float) -> None:
    repository.settle(write, step.judged, now)
    repository.add_trials(write, search.comparison, step.proposed, now)
    best = [one for own in search.trials.values() for one in own if one.id in step.finals]
    repository.add_finals(write, search.comparison, best, search.spec.seeds)
    if not step.proposed and not best:
        write.settled.add(search.comparison.id)


Searches = Annotated[Engine, from_state("searches")]
