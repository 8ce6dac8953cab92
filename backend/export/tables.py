"""A comparison as tables of rows, or as one JSON document.

The rows of a table come in batches, so that it never lies in memory as a whole.
"""

import platform
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, Final, Literal

from pydantic import BaseModel
from sqlmodel import Session, col, select

from backend.comparisons.schemas import ComparisonDetail
from backend.db.models import Comparison, Point, Run
from backend.export.table import Kind, Row, Table
from backend.export.trials import trials_table
from backend.http.times import iso
from backend.metrics import measurements, series
from backend.metrics.measurements import Measurements
from backend.metrics.run_figures import figures_of
from backend.runs import repository as runs
from backend.runs.schemas import RunOut, run_out
from backend.tuning import repository as tuning
from backend.tuning.answers import tuning_out
from backend.tuning.schemas import TuningOut
from backend.verdict.leaderboard import leaderboard
from backend.verdict.leaderboard_schemas import Leaderboard, LeaderboardArm
from backend.verdict.schemas import Verdict
from backend.verdict.service import give_verdict
from backend.verdict.summary import Summary, summarise
from contract.metrics.versions import engine_version

TableName = Literal["results", "series", "runs", "leaderboard", "trials"]
UNTRAINED_PREFIX: Final = "untrained."
"""Prefix of a key for the value of the untrained encoder."""

MAX_BATCH_ROWS: Final = 65_536
"""Some megabytes as Python objects."""


_RESULTS: Final[dict[str, Kind]] = {
    "arm": "text",
    "seed": "whole",
    "metric": "text",
    "step": "whole",
    "value": "number",
    "censored": "truth",
    "state": "text",
}
_SERIES: Final[dict[str, Kind]] = {
    "arm": "text",
    "seed": "whole",
    "key": "text",
    "step": "whole",
    "value": "number",
}
_RUNS: Final[dict[str, Kind]] = {
    "run": "text",
    "arm": "text",
    "seed": "whole",
    "state": "text",
    "attempt": "whole",
    "device": "text",
    "step": "whole",
    "total_steps": "whole",
    "steps_per_epoch": "whole",
    "created_at": "text",
    "started_at": "text",
    "ended_at": "text",
    "error_message": "text",
    "error_cause": "text",
    "error_step": "whole",
    "engine_version": "text",
    "measures_version": "text",
    "train_items": "whole",
    "validation_items": "whole",
    "test_items": "whole",
    "training_states": "text",
    "loss_digest": "text",
}
_LEADERBOARD: Final[dict[str, Kind]] = {
    "metric": "text",
    "arm": "text",
    "n": "whole",
    "mean": "number",
    "sd": "number",
    "low": "number",
    "high": "number",
    "first_rank": "whole",
    "last_rank": "whole",
    "letters": "text",
    "state": "text",
    "best": "text",
    "difference_to_best": "number",
    "difference_low": "number",
    "difference_high": "number",
    "p_holm": "number",
}


def build_table(session: Session, comparison: Comparison, what: TableName) -> Table:
    """Return one of the tables of a comparison.

    results: a row for each value of each run. The prefix of the key says whose value it is:
        `test.`, `untrained.`, `backbone.` or `chance.`. A censored value is a lower bound.
    series: a row for each stored point, also of long series.
    runs: a row for each run; `training_states` are those that say that it did not train well.
    leaderboard: a row for each metric and arm.
    trials: a row for each trial, with its settings; none if the comparison is not tuned.

    All but the last are of final runs.
    """
    if what == "trials":
        return trials_table(session, comparison)
    if what == "leaderboard":
        found = leaderboard(session, comparison)
        rows = [_ranked(metric.key, arm) for metric in found.metrics for arm in metric.arms]
        return Table(_LEADERBOARD, iter([rows]))
    all_runs = runs.of_comparison(session, comparison.id)
    if what == "runs":
        return Table(_RUNS, iter([[_run(run) for run in all_runs]]))
    if what == "series":
        return Table(_SERIES, _points(session, all_runs))
    return Table(_RESULTS, iter([list(_results(session, all_runs))]))


def _results(session: Session, of_comparison: Sequence[Run]) -> Iterator[Row]:
    """Yield the rows run by run: what each has measured, then its reference values."""
    figures = figures_of(session, of_comparison)
    found = [*_flat(measurements.current_measurements(session, of_comparison, figures), "")]
    found += _flat(
        measurements.untrained_measurements(session, of_comparison, figures), UNTRAINED_PREFIX
    )
    found += _flat(measurements.reference_measurements(session, of_comparison, figures), "")
    for run, key, step, value, censored in sorted(found, key=lambda row: row[0].position):
        yield run.arm, run.seed, key, step, value, censored, run.state


def _flat(found: Measurements, prefix: str) -> Iterator[tuple[Run, str, int, float | None, bool]]:
    for key, by_arm in found.items():
        for values in by_arm.values():
            for one in values:
                yield one.run, f"{prefix}{key}", one.step, one.value, one.censored


def _points(session: Session, of_comparison: Sequence[Run]) -> Iterator[Sequence[Row]]:
    """Yield points in batches; no batch has points of two series."""
    by_id = {run.id: run for run in of_comparison}
    for row in series.find(session, runs=[run.id for run in of_comparison], keys=[]):
        run = by_id[row.run_id]
        last = -1
        while True:
            query = (
                select(Point.step, Point.value)
                .where(col(Point.series_id) == row.id, col(Point.step) > last)
                .order_by(col(Point.step))
                .limit(MAX_BATCH_ROWS)
            )
            points = session.connection().execute(query).all()
            if not points:
                break
            yield [(run.arm, run.seed, row.key, step, value) for step, value in points]
            last = points[-1][0]


def _ranked(metric: str, arm: LeaderboardArm) -> Row:
    first, last = arm.rank or (None, None)
    behind = arm.to_best
    return (
        *(metric, arm.arm, arm.n, arm.mean, arm.sd, arm.low, arm.high),
        *(first, last, arm.letters, arm.state),
        *(
            (behind.best, behind.mean_difference, behind.low, behind.high, behind.p_holm)
            if behind
            else (None,) * 5
        ),
    )


def _run(run: Run) -> Row:
    error, versions, splits = run.error or {}, run.versions or {}, run.splits or {}
    times = [None if at is None else iso(at) for at in (run.started_at, run.ended_at)]
    return (
        *(run.id, run.arm, run.seed, run.state, run.attempt, run.device),
        *(run.step, run.total_steps, run.steps_per_epoch),
        *(iso(run.created_at), *times),
        *(error.get("message"), error.get("cause"), error.get("step")),
        *(versions.get("engine"), versions.get("measures")),
        *(splits.get(split) for split in ("train", "validation", "test")),
        " ".join(one["state"] for one in run.states) or None,
        run.loss_digest or None,
    )


FORMAT: Final = "lossboard-comparison-1"
"""Changes when programs that read the document must change."""


class Everything(BaseModel):
    """A comparison and all that is known of it except its curves.

    Its `spec` is what POST /comparisons takes.
    """

    format: str
    made_at: str
    versions: dict[str, str]
    """Of Lossboard, of Python, and of what the API computes summary and verdict with."""
    comparison: ComparisonDetail
    spec: dict[str, Any]
    runs: list[RunOut]
    summary: Summary
    verdict: Verdict
    leaderboard: Leaderboard
    tuning: TuningOut | None
    """The search with all its trials; null for a comparison that is not tuned."""


def build_document(
    session: Session, comparison: Comparison, detail: ComparisonDetail, now: float
) -> Everything:
    """Return a comparison with all that is known of it except its curves.

    Args:
        session: to read with; one session, so that all parts agree.
        comparison: the comparison to export.
        detail: the same comparison, as the API shows it.
        now: seconds since the epoch.
    """
    return Everything(
        format=FORMAT,
        made_at=iso(now),
        versions=versions(),
        comparison=detail,
        spec=comparison.spec,
        runs=[run_out(run, now) for run in runs.of_comparison(session, comparison.id)],
        summary=summarise(session, comparison),
        verdict=give_verdict(session, comparison),
        leaderboard=leaderboard(session, comparison),
        tuning=_tuning(session, comparison),
    )


def _tuning(session: Session, comparison: Comparison) -> TuningOut | None:
    if comparison.spec.get("tuning") is None:
        return None
    return tuning_out(session, tuning.load(session, comparison.id))


@cache
def versions() -> dict[str, str]:
    """Return the versions of all software that the numbers of a document depend on."""
    packages = {name: version(name) for name in ("numpy", "scipy", "pydantic")}
    return {"lossboard": engine_version(), "python": platform.python_version(), **packages}
