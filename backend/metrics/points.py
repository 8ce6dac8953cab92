"""Points of series: insert them, keep their roll-ups up to date, delete them.

Deleting happens in two steps, as a run may have millions of points: `discard_series` only deletes
the series and remembers their ids, `purge_discarded` deletes their points later, in small batches.

A series can lack raw points, which backend.maintenance.retention has deleted. It deletes whole
buckets from the beginning of the series, the first bucket excepted. No column says that a series
lacks points: it shows in its roll-up, which counts more points than there are.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Final

from sqlalchemy import Select
from sqlalchemy import select as columns
from sqlmodel import Session, col, delete, exists, func, or_, select

from backend.db.models import Discarded, FineRollup, Point, Rollup, Run, Series
from backend.metrics.downsampling import FINE_LEVEL, ROLLUP_LEVEL
from contract.metrics import TEST_PREFIX

Columns = Mapping[int, tuple[list[int], list[float | None]]]
"""Series id -> steps, values."""

# Written by hand: the many rows go to the driver as tuples, without a statement object each.
_INSERT: Final = {
    "sqlite": "INSERT OR IGNORE INTO point (series_id, step, value) VALUES (?, ?, ?)",
    "postgresql": "INSERT INTO point (series_id, step, value) VALUES (%s, %s, %s) "
    "ON CONFLICT DO NOTHING",
}
_INTO: Final = (
    "INSERT INTO {0} (series_id, bucket, n, nulls, low, high, total) {1} GROUP BY series_id "
    "ON CONFLICT (series_id, bucket) DO UPDATE SET n = excluded.n, nulls = excluded.nulls, "
    "low = excluded.low, high = excluded.high, total = excluded.total"
)
_FINE: Final = _INTO.format(
    "fine_rollup",
    "SELECT series_id, {0}, count(*), count(*) - count(value), min(value), max(value), sum(value) "
    "FROM point WHERE series_id = {0} AND step >= {0} AND step < {0}",
)
_COARSE: Final = _INTO.format(
    "rollup",
    "SELECT series_id, {0}, sum(n), sum(nulls), min(low), max(high), sum(total) "
    "FROM fine_rollup WHERE series_id = {0} AND bucket >= {0} AND bucket < {0}",
)
_MARK: Final = {"sqlite": "?", "postgresql": "%s"}
"""The placeholder of a parameter."""
_ROLLUP_WIDTH: Final = 1 << ROLLUP_LEVEL


def ensure_series(session: Session, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return the ids of series by (run, key); add those that do not exist yet."""
    wanted = set(names)
    runs = {run for run, _ in wanted}
    query = select(Series.run_id, Series.key, Series.id).where(col(Series.run_id).in_(runs))
    known = {(run, key): series for run, key, series in session.exec(query)}
    added = [Series(run_id=run, key=key) for run, key in sorted(wanted - known.keys())]
    session.add_all(added)
    session.flush()
    known.update({(row.run_id, row.key): row.id for row in added})
    return {name: known[name] or 0 for name in wanted}


def insert(session: Session, columns: Columns) -> None:
    """Store points and recompute the roll-up buckets they fall into.

    A point whose step the series has already is ignored.
    """
    rows = [
        row
        for series in sorted(columns)
        for row in zip(repeat(series), *columns[series], strict=False)
    ]
    if not rows:
        return
    connection = session.connection()
    connection.exec_driver_sql(_INSERT[connection.dialect.name], rows)
    touched = [
        (series, bucket)
        for series, (steps, _) in columns.items()
        for bucket in sorted({step >> FINE_LEVEL for step in steps})
    ]
    _roll_up(session, touched)


def count(session: Session, comparison: str) -> int:
    """Return how many raw points the series of a comparison have."""
    series = (
        select(Series.id)
        .join(Run, col(Run.id) == col(Series.run_id))
        .where(Run.comparison_id == comparison)
    )
    lacking = select_series_lacking_raw_points(series)
    of_complete = select(func.coalesce(func.sum(Rollup.n), 0)).where(
        col(Rollup.series_id).in_(series), col(Rollup.series_id).not_in(lacking)
    )
    of_lacking = select(func.count()).select_from(Point).where(col(Point.series_id).in_(lacking))
    return int(session.exec(of_complete).one()) + session.exec(of_lacking).one()


def series_lacking_raw_points(session: Session, series: Sequence[int]) -> set[int]:
    """Return the ids of those of these series that lack raw points."""
    rows = session.connection().execute(select_series_lacking_raw_points(series))
    return {row[0] for row in rows}


def select_series_lacking_raw_points(series: Any) -> Select[Any]:
    """Return a query of the ids of those series that lack raw points.

    Args:
        series: the ids to choose from, or a query of them.
    """
    first = (
        columns(col(Rollup.series_id), func.min(Rollup.bucket).label("bucket"))
        .where(col(Rollup.series_id).in_(series), col(Rollup.bucket) > 0)
        .group_by(col(Rollup.series_id))
        .subquery()
    )
    start = first.c.bucket * _ROLLUP_WIDTH
    has_points = exists().where(
        col(Point.series_id) == first.c.series_id,
        col(Point.step) >= start,
        col(Point.step) < start + _ROLLUP_WIDTH,
    )
    return columns(first.c.series_id).where(~has_points)


def delete_after_step(session: Session, run: str, after: int) -> None:
    """Delete a run's points beyond a step, and all points of the test split.

    The test split is read after the last step. With -1 all points are deleted.
    """
    if after < 0:
        discard_series(session, run)
        return
    beyond = exists().where(col(Point.series_id) == Series.id, col(Point.step) > after)
    of_test = col(Series.key).startswith(TEST_PREFIX)
    rows = session.exec(
        select(Series.id, Series.key).where(Series.run_id == run, or_(of_test, beyond))
    ).all()
    for series, key in rows:
        assert series is not None
        if key.startswith(TEST_PREFIX):  # at the best epoch's step, but read at the run's end
            session.add(Discarded(series_id=series))
            session.exec(delete(Series).where(col(Series.id) == series))
            continue
        session.exec(delete(Point).where(col(Point.series_id) == series, col(Point.step) > after))
        for table, level in ((FineRollup, FINE_LEVEL), (Rollup, ROLLUP_LEVEL)):
            first = after >> level
            session.exec(
                delete(table).where(col(table.series_id) == series, col(table.bucket) >= first)
            )
        _roll_up(session, [(series, after >> FINE_LEVEL)])


def discard_series(session: Session, run: str) -> None:
    """Delete a run's series at once, however many points they have; see purge_discarded."""
    ids = session.exec(select(Series.id).where(Series.run_id == run)).all()
    session.add_all(Discarded(series_id=series) for series in ids if series is not None)
    session.exec(delete(Series).where(col(Series.run_id) == run))


def any_discarded(session: Session) -> bool:
    """Return whether purge_discarded has something left to delete."""
    return session.exec(select(Discarded.series_id).limit(1)).first() is not None


def purge_discarded(session: Session, limit: int = 20_000) -> None:
    """Delete up to `limit` points of one discarded series, and then its roll-ups."""
    series = session.exec(select(Discarded.series_id).limit(1)).first()
    if series is None:
        return
    of_series = col(Point.series_id) == series
    last = session.exec(
        select(Point.step).where(of_series).order_by(col(Point.step)).offset(limit).limit(1)
    ).first()
    if last is not None:
        session.exec(delete(Point).where(of_series, col(Point.step) < last))
        return
    session.exec(delete(Point).where(of_series))
    for table in (FineRollup, Rollup):
        session.exec(delete(table).where(col(table.series_id) == series))
    session.exec(delete(Discarded).where(col(Discarded.series_id) == series))


def _roll_up(session: Session, touched: list[tuple[int, int]]) -> None:
    """Recompute fine buckets (series, bucket) from their points, then the coarse ones above."""
    connection = session.connection()
    mark = _MARK[connection.dialect.name]
    parts = 1 << (ROLLUP_LEVEL - FINE_LEVEL)
    above = sorted({(series, bucket // parts) for series, bucket in touched})
    for sql, width, rows in ((_FINE, 1 << FINE_LEVEL, touched), (_COARSE, parts, above)):
        connection.exec_driver_sql(
            sql.format(mark),
            [(bucket, series, bucket * width, (bucket + 1) * width) for series, bucket in rows],
        )
