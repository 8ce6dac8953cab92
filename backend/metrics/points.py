"""Points: insert, roll up, forget."""

from collections.abc import Iterable, Mapping
from itertools import repeat
from typing import Final

from sqlmodel import Session, col, delete, func, select

from backend.db.models import Discarded, FineRollup, Point, Rollup, Run, Series
from backend.metrics import downsampling as thinned
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


def insert(session: Session, columns: Columns) -> None:
    """Store points, ignoring those that are there, and recompute the roll-up they touch."""
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


def forget(session: Session, run: str, after: int) -> None:
    """Delete a run's points beyond a step, and those of the test split, which are read after the
    last step; -1 forgets all points."""
    if after < 0:
        discard(session, run)
        return
    rows = session.exec(select(Series.id, Series.key).where(Series.run_id == run)).all()
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


def discard(session: Session, run: str) -> None:
    """Take a run's series out of sight at once, however many points they have."""
    ids = session.exec(select(Series.id).where(Series.run_id == run)).all()
    session.add_all(Discarded(series_id=series) for series in ids if series is not None)
    session.exec(delete(Series).where(col(Series.run_id) == run))


def count(session: Session, comparison: str) -> int:
    """Stored points of all series of a comparison."""
    own = (
        select(Series.id)
        .join(Run, col(Run.id) == col(Series.run_id))
        .where(Run.comparison_id == comparison)
    )
    lacking = thinned.query(own)
    counted = select(func.coalesce(func.sum(Rollup.n), 0)).where(
        col(Rollup.series_id).in_(own), col(Rollup.series_id).not_in(lacking)
    )
    left = select(func.count()).select_from(Point).where(col(Point.series_id).in_(lacking))
    return int(session.exec(counted).one()) + session.exec(left).one()


def any_discarded(session: Session) -> bool:
    """Whether there is something to purge."""
    return session.exec(select(Discarded.series_id).limit(1)).first() is not None


def purge(session: Session, most: int = 20_000) -> None:
    """Delete up to so many points of a discarded series."""
    series = session.exec(select(Discarded.series_id).limit(1)).first()
    if series is None:
        return
    own = col(Point.series_id) == series
    last = session.exec(
        select(Point.step).where(own).order_by(col(Point.step)).offset(most).limit(1)
    ).first()
    if last is not None:
        session.exec(delete(Point).where(own, col(Point.step) < last))
        return
    session.exec(delete(Point).where(own))
    for table in (FineRollup, Rollup):
        session.exec(delete(table).where(col(table.series_id) == series))
    session.exec(delete(Discarded).where(col(Discarded.series_id) == series))


def series_ids(session: Session, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """The ids of series (run, key); those that are new are made."""
    wanted = set(names)
    runs = {run for run, _ in wanted}
    asked = select(Series.run_id, Series.key, Series.id).where(col(Series.run_id).in_(runs))
    known = {(run, key): own for run, key, own in session.exec(asked)}
    made = [Series(run_id=run, key=key) for run, key in sorted(wanted - known.keys())]
    session.add_all(made)
    session.flush()
    known.update({(row.run_id, row.key): row.id for row in made})
    return {name: known[name] or 0 for name in wanted}


def _roll_up(session: Session, touched: list[tuple[int, int]]) -> None:
    """Recompute fine buckets (series, bucket) from their points, then the coarse ones of these."""
    connection = session.connection()
    mark = _MARK[connection.dialect.name]
    parts = 1 << (ROLLUP_LEVEL - FINE_LEVEL)
    above = sorted({(series, bucket // parts) for series, bucket in touched})
    for sql, width, rows in ((_FINE, 1 << FINE_LEVEL, touched), (_COARSE, parts, above)):
        connection.exec_driver_sql(
            sql.format(mark),
            [(bucket, series, bucket * width, (bucket + 1) * width) for series, bucket in rows],
        )
