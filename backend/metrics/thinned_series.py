"""Series that lack raw points: their roll-up counts more of them than there are; nothing else says
so. What of them may go goes from its beginning on, whole buckets from the second one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func
from sqlalchemy import select as columns
from sqlmodel import Session, col, exists

from backend.db.models import Point, Rollup
from backend.metrics.downsampling import ROLLUP_LEVEL

_WIDTH = 1 << ROLLUP_LEVEL


def query(series: Any) -> Select[Any]:
    """Selects those of these series, ids or a query of them, that lack raw points."""
    first = (
        columns(col(Rollup.series_id), func.min(Rollup.bucket).label("bucket"))
        .where(col(Rollup.series_id).in_(series), col(Rollup.bucket) > 0)
        .group_by(col(Rollup.series_id))
        .subquery()
    )
    start = first.c.bucket * _WIDTH
    there = exists().where(
        col(Point.series_id) == first.c.series_id,
        col(Point.step) >= start,
        col(Point.step) < start + _WIDTH,
    )
    return columns(first.c.series_id).where(~there)


def among(session: Session, series: Sequence[int]) -> set[int]:
    """Those of these series that lack raw points."""
    return {row[0] for row in session.connection().execute(query(series))}
