"""Figures of runs that have succeeded: all that summaries and verdicts read of them.

They are computed once, at a run's end, and stored with the run (backend.maintenance.run_figures).
So a verdict over hundreds of runs reads one small row of each, and keeps its values when old raw
points are deleted. What is not stored yet, or was computed under another version, is computed from
the points where it is read.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement
from sqlalchemy import select as columns
from sqlmodel import Session, col, exists, select

from backend.db.models import Run, RunFigures
from backend.metrics import results
from backend.metrics.keys import EPOCH_MEANS, EVALUATED, REFERENCES, RUNNING_COUNTS
from backend.metrics.run_statistics import Statistic, compute_statistics
from contract.metrics import OBJECTIVE

T = TypeVar("T")

FIGURES_VERSION: Final = 1
"""Count it up when a figure is added or defined anew: all are computed again then. A figure whose
raw points are gone by that time keeps its old value, so a new definition needs a new key."""

_RUNS_PER_QUERY: Final = 1_000
_COMPUTED_TOGETHER: Final = 20
"""Runs whose points are read together."""


@dataclass(frozen=True)
class Figures:
    """What one run has measured. A value of None was not finite."""

    final: Mapping[str, tuple[int, float | None]]
    """Key of a held-out metric, also with `test.` or `test.last.` -> step and last value."""
    statistics: Mapping[str, Statistic]
    """Key of a statistic of the whole run -> its value, and whether it is censored."""
    untrained: Mapping[str, float | None]
    """Key of a held-out metric -> value of the untrained network."""
    references: Mapping[str, float | None]
    """Key with `backbone.` or `chance.` before it -> reference value."""
    last_epoch: Mapping[str, float | None]
    """Key of a per-step metric -> its mean over the last epoch."""
    counts: Mapping[str, float | None]
    """Key of a count of steps -> the count at the end."""
    map_at_r: Sequence[tuple[int, float]]
    """Evaluated epochs, from 0 for the untrained network, with validation MAP@R, in order."""


def figures_of(session: Session, runs: Iterable[Run]) -> dict[str, Figures]:
    """Return the figures of those of these runs that have succeeded, by run.

    Stored ones are read. What is not stored is computed, which takes some 20 ms a run.
    """
    succeeded = {run.id: run for run in runs if run.state == "succeeded"}
    found: dict[str, Figures] = {}
    for ids in _parts(list(succeeded), _RUNS_PER_QUERY):
        rows = session.connection().execute(
            columns(col(RunFigures.run_id), col(RunFigures.attempt), col(RunFigures.figures)).where(
                col(RunFigures.run_id).in_(ids), col(RunFigures.version) == FIGURES_VERSION
            )
        )
        for run, attempt, figures in rows:
            if attempt == succeeded[run].attempt:
                found[run] = _decode(figures)
    return found | compute_figures(
        session, [run for run in succeeded.values() if run.id not in found]
    )


def compute_figures(session: Session, runs: Sequence[Run]) -> dict[str, Figures]:
    """Compute figures of runs that have succeeded from their points, by run.

    A statistic whose raw points were deleted is taken over from stored figures of another version.
    """
    computed: dict[str, Figures] = {}
    for part in _parts(runs, _COMPUTED_TOGETHER):
        computed |= _compute(session, part)
    return computed


def find_without_figures(session: Session, *, after: str, limit: int) -> list[str]:
    """Return ids of final runs that have succeeded and have no current figures, by rising id.

    Args:
        session: a transaction.
        after: only ids beyond this one; "" for all.
        limit: of the ids.
    """
    query = select(Run.id).where(
        Run.role == "final",
        Run.state == "succeeded",
        col(Run.id) > after,
        ~has_current_figures(),
    )
    return list(session.exec(query.order_by(col(Run.id)).limit(limit)).all())


def has_current_figures() -> ColumnElement[bool]:
    """Return the condition on runs that figures of their attempt and of this version are stored."""
    return exists().where(
        col(RunFigures.run_id) == col(Run.id),
        col(RunFigures.attempt) == col(Run.attempt),
        col(RunFigures.version) == FIGURES_VERSION,
    )


def store_figures(session: Session, run: Run, figures: Figures) -> None:
    """Store a run's figures, in place of older ones."""
    session.merge(
        RunFigures(
            run_id=run.id,
            attempt=run.attempt,
            version=FIGURES_VERSION,
            figures={
                "final": figures.final,
                "statistics": figures.statistics,
                "untrained": figures.untrained,
                "references": figures.references,
                "last_epoch": figures.last_epoch,
                "counts": figures.counts,
                "map_at_r": figures.map_at_r,
            },
        )
    )


def _compute(session: Session, runs: Sequence[Run]) -> dict[str, Figures]:
    ids = [run.id for run in runs]
    last = _by_run(
        results.last_values(session, runs=ids, keys=(*EVALUATED, *REFERENCES, *RUNNING_COUNTS))
    )
    untrained = _by_run(results.untrained_values(session, runs=ids, keys=EVALUATED))
    means = _by_run(results.last_epoch_means(session, runs=ids, keys=EPOCH_MEANS))
    scores = _by_run(results.all_values(session, runs=ids, key=OBJECTIVE))
    statistics = compute_statistics(session, runs)
    computed = {}
    for run in runs:
        ends = {one.key: (one.step, one.value) for one in last.get(run.id, ())}
        computed[run.id] = Figures(
            final={key: ends[key] for key in EVALUATED if key in ends},
            statistics=statistics[run.id].statistics,
            untrained={one.key: one.value for one in untrained.get(run.id, ())},
            references={key: ends[key][1] for key in REFERENCES if key in ends},
            last_epoch={one.key: one.value for one in means.get(run.id, ())},
            counts={key: ends[key][1] for key in RUNNING_COUNTS if key in ends},
            map_at_r=[
                (one.step // run.steps_per_epoch, one.value)
                for one in scores.get(run.id, ())
                if run.steps_per_epoch and one.value is not None
            ],
        )
    lacking = {run.id: statistics[run.id].lacking for run in runs if statistics[run.id].lacking}
    return computed | _with_earlier(session, computed, lacking)


def _with_earlier(
    session: Session, computed: Mapping[str, Figures], lacking: Mapping[str, Iterable[str]]
) -> dict[str, Figures]:
    """Take statistics that cannot be computed any more from stored figures of another version."""
    if not lacking:
        return {}
    rows = session.connection().execute(
        columns(col(RunFigures.run_id), col(RunFigures.figures))
        .join(Run, col(Run.id) == col(RunFigures.run_id))
        .where(col(RunFigures.run_id).in_(lacking), col(RunFigures.attempt) == col(Run.attempt))
    )
    taken = {}
    for run, stored in rows:
        earlier = {
            key: Statistic(*stored["statistics"][key])
            for key in lacking[run]
            if key in stored["statistics"]
        }
        statistics = {**computed[run].statistics, **earlier}
        taken[run] = replace(computed[run], statistics=statistics)
    return taken


def _decode(stored: Mapping[str, Any]) -> Figures:
    return Figures(
        final={key: (step, value) for key, (step, value) in stored["final"].items()},
        statistics={key: Statistic(*one) for key, one in stored["statistics"].items()},
        untrained=stored["untrained"],
        references=stored["references"],
        last_epoch=stored["last_epoch"],
        counts=stored["counts"],
        map_at_r=[(epoch, value) for epoch, value in stored["map_at_r"]],
    )


def _by_run(found: Iterable[results.Result]) -> dict[str, list[results.Result]]:
    in_order = sorted(found, key=lambda one: one.run)
    return {run: list(own) for run, own in groupby(in_order, key=lambda one: one.run)}


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[first : first + size] for first in range(0, len(items), size))
