"""Points of many series at once, as they are or joined into buckets, in a query or two.

Raw points are grouped only where buckets are finer than the finer stored roll-up: a database has
to sort what it groups by a quotient, which for hundreds of thousands of points takes long.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Select, func, text
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from backend.db.models import FineRollup, Point, Rollup
from backend.metrics.downsampling import FINE_LEVEL, Bucket, merge

Ids = Sequence[int]
Buckets = dict[int, list[Bucket]]
"""Series id -> its buckets, rising; one without any is left out."""


def raw_points(
    session: Session, ids: Ids, after: int
) -> dict[int, tuple[list[int], list[float | None]]]:
    """Steps and values beyond a step."""
    if not ids:
        return {}
    rows = session.connection().execute(
        select(Point.series_id, Point.step, Point.value)
        .where(col(Point.series_id).in_(ids), col(Point.step) > after)
        .order_by(col(Point.series_id), col(Point.step))
    )
    return {
        series: ([row[1] for row in own], [row[2] for row in own])
        for series, own in _by_series(rows)
    }


def rollup_extents(session: Session, ids: Ids, first: int) -> dict[int, tuple[int, int]]:
    """How many points and how many buckets the coarser roll-up has from one bucket on."""
    rows = session.connection().execute(
        columns(col(Rollup.series_id), func.sum(Rollup.n), func.count())
        .where(col(Rollup.series_id).in_(ids), col(Rollup.bucket) >= first)
        .group_by(col(Rollup.series_id))
    )
    return {series: (int(n), buckets) for series, n, buckets in rows}


def coarse_buckets(session: Session, ids: Ids, first: int, shift: int) -> Buckets:
    """The coarser roll-up from one bucket on, joined into buckets 2^shift times wider."""
    return _read(session, _joined(Rollup, ids, first, shift))


def cut_bucket(session: Session, ids: Ids, after: int, k: int) -> Buckets:
    """The bucket of 2^k steps that `after` cuts, of its points beyond."""
    first = (after + 1) >> k
    if after + 1 == first << k:
        return {}
    end = (first + 1) << k
    return _read(session, _grouped_points(ids, after, k).where(col(Point.step) < end))


def fine_buckets(session: Session, ids: Ids, after: int, k: int) -> Buckets:
    """Buckets of 2^k steps beyond a step, finer than the coarser roll-up."""
    if k < FINE_LEVEL:
        return _read(session, _grouped_points(ids, after, k))
    heads = cut_bucket(session, ids, after, FINE_LEVEL)
    behind = (after + (1 << FINE_LEVEL)) >> FINE_LEVEL
    shift = k - FINE_LEVEL
    found = _read(session, _joined(FineRollup, ids, behind, shift))
    for series, head in heads.items():  # which may be of the same bucket as what follows
        found[series] = merge(merge(head, shift) + found.get(series, []), 0)
    return found


def _joined(
    table: type[Rollup] | type[FineRollup], ids: Ids, first: int, shift: int
) -> Select[Any]:
    asked = _by_bucket(
        col(table.series_id),
        col(table.bucket),
        shift,
        func.sum(table.n),
        func.sum(table.nulls),
        func.min(table.low),
        func.max(table.high),
        func.sum(table.total),
    )
    return asked.where(col(table.series_id).in_(ids), col(table.bucket) >= first)


def _grouped_points(ids: Ids, after: int, k: int) -> Select[Any]:
    asked = _by_bucket(
        col(Point.series_id),
        col(Point.step),
        k,
        func.count(),
        func.count() - func.count(col(Point.value)),
        func.min(Point.value),
        func.max(Point.value),
        func.sum(Point.value),
    )
    return asked.where(col(Point.series_id).in_(ids), col(Point.step) > after)


def _by_bucket(series: Any, place: Any, shift: int, *parts: Any) -> Select[Any]:
    """Selects (series, bucket of 2^shift places, the parts of a Bucket), rising."""
    index = place.op("/")(text(str(1 << shift)))  # whole numbers: rounds down
    return columns(series, index, *parts).group_by(series, index).order_by(series, index)


def _read(session: Session, query: Select[Any]) -> Buckets:
    rows = session.connection().execute(query)
    return {series: [Bucket._make(row[1:]) for row in own] for series, own in _by_series(rows)}


def _by_series(rows: Any) -> list[tuple[int, list[Any]]]:
    return [(series, list(own)) for series, own in groupby(rows.all(), key=itemgetter(0))]
