"""How long a projection takes until it is ready: its place in line, and the pace of its method."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sqlmodel import Session, col, or_, select

from backend.db.models import Projection
from backend.embeddings.repository import QUICK, eta_s
from backend.embeddings.service import SnapshotReader
from backend.errors import NotFoundError
from backend.runs import snapshots

RECENT: Final = 5
"""Finished projections of a method whose pace is taken."""
PACES: Final = {"pca": 3e-6, "tsne": 2.5e-3, "pacmap": 3e-4}
"""Seconds per sample and layout of each method on one core, until this installation has finished
some."""


class Place(NamedTuple):
    """Where a projection stands."""

    place: int | None
    """In line, counted from 1; those that are computed count too. None if it does not wait."""
    eta_s: float | None
    """Seconds until it is ready; None if it is not on its way."""


def place_of(session: Session, reader: SnapshotReader, found: Projection, now: float) -> Place:
    """Return where a projection stands, at the pace of the last ones by the same methods."""
    pace = _Pace(session, reader)
    if found.state == "running":
        return Place(None, pace.remaining_s(found, now))
    if found.state != "queued":
        return Place(None, None)
    running, queued = _before(session, found)
    ahead = sum(pace.remaining_s(one, now) for one in (*running, *queued))
    eta = ahead / max(1, len(running)) + pace.whole_s(found)
    return Place(len(running) + len(queued) + 1, eta)


def _before(session: Session, found: Projection) -> tuple[list[Projection], list[Projection]]:
    """Return the projections of its lane that are computed, and those that are next before it."""
    method = col(Projection.method)
    lane = method == QUICK if found.method == QUICK else method != QUICK
    rows = session.exec(
        select(Projection)
        .where(
            lane,
            or_(
                col(Projection.state) == "running",
                (col(Projection.state) == "queued")
                & (col(Projection.created_at) <= found.created_at),
            ),
        )
        .order_by(col(Projection.created_at), col(Projection.id))
    ).all()
    mine = (found.created_at, found.id)
    return (
        [row for row in rows if row.state == "running"],
        [row for row in rows if row.state == "queued" and (row.created_at, row.id) < mine],
    )


class _Pace:
    """How long projections take; reads once what several have in common."""

    def __init__(self, session: Session, reader: SnapshotReader) -> None:
        self._session = session
        self._reader = reader
        self._of_methods: dict[str, float] = {}
        self._samples: dict[tuple[str, int], int] = {}

    def remaining_s(self, one: Projection, now: float) -> float:
        """Return the seconds that a waiting or running projection still takes."""
        told = eta_s(one, now)
        if told is not None:
            return told
        spent = now - one.started_at if one.state == "running" and one.started_at else 0.0
        return max(0.0, self.whole_s(one) - spent)

    def whole_s(self, one: Projection) -> float:
        """Return the seconds that a projection takes as a whole."""
        if one.method not in self._of_methods:
            self._of_methods[one.method] = self._measured(one.method)
        return self._size(one) * self._of_methods[one.method]

    def _measured(self, method: str) -> float:
        """Return a method's seconds per sample and layout."""
        done: Sequence[Projection] = self._session.exec(
            select(Projection)
            .where(
                col(Projection.method) == method,
                col(Projection.state) == "ready",
                col(Projection.started_at) < col(Projection.heard_at),
            )
            .order_by(col(Projection.heard_at).desc())
            .limit(RECENT)
        ).all()
        took = sum((one.heard_at or 0.0) - (one.started_at or 0.0) for one in done)
        size = sum(self._size(one) for one in done)
        return took / size if size else PACES[method]

    def _size(self, one: Projection) -> int:
        """Return samples times layouts; 0 if its samples are gone."""
        place = one.comparison_id, one.seed
        if place not in self._samples:
            self._samples[place] = self._count(*place)
        return self._samples[place] * sum(len(arm["epochs"]) for arm in one.inputs)

    def _count(self, comparison: str, seed: int) -> int:
        shown = snapshots.of_comparison(self._session, comparison, seed)
        try:
            return len(self._reader.samples(shown[0].samples).labels) if shown else 0
        except NotFoundError:
            return 0
