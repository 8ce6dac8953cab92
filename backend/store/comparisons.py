"""Comparisons: make, find, change, delete."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Integer, case, func
from sqlalchemy import select as columns
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, delete, exists, or_, select

from backend.db import Write
from backend.errors import NotFoundError
from backend.store.points import discard
from backend.tables import Comparison, Run, Tag
from contract.spec import ComparisonSpec

STATES: Final = ("queued", "running", "succeeded", "failed", "cancelled")


@dataclass
class Tally:
    """The runs of a comparison in one state, added up."""

    runs: int = 0
    progress: float = 0.0
    """Sum of step / total steps."""
    started: float = 0.0
    """Sums of the runs' times, of those that have both start and steps."""
    ended: float = 0.0
    timed: int = 0
    """Runs in the sums of times."""


Tallies = dict[str, Tally]
"""State -> its runs."""


def create(write: Write, *, spec: ComparisonSpec, raw: dict[str, Any], now: float) -> Comparison:
    """Store a comparison and its queued runs; `raw` is the spec in full, as JSON."""
    comparison = Comparison(
        id=f"c{secrets.token_hex(5)}",
        name=spec.name,
        notes=spec.notes,
        created_by="local",
        created_at=now,
        tags=list(spec.tags),
        spec=raw,
    )
    write.session.add(comparison)
    write.session.flush()
    _index_tags(write.session, comparison)
    # Seed by seed, so that all arms of a first seed can be compared early.
    pairs = [(arm.name, seed) for seed in spec.seeds for arm in spec.arms]
    write.session.add_all(
        Run(
            id=f"r{secrets.token_hex(5)}",
            comparison_id=comparison.id,
            position=position,
            arm=arm,
            seed=seed,
            created_at=now,
        )
        for position, (arm, seed) in enumerate(pairs)
    )
    return comparison


def get(session: Session, comparison: str) -> Comparison:
    """One comparison.

    Raises:
        NotFoundError: there is none of that id.
    """
    found = session.get(Comparison, comparison)
    if found is None:
        raise NotFoundError(f"there is no comparison {comparison!r}")
    return found


def find(
    session: Session, *, q: str, tag: str, state: str | None, page: int, page_size: int
) -> tuple[list[Comparison], int]:
    """One page of the comparisons that match, newest first, and how many match in all."""
    conditions: list[ColumnElement[bool]] = []
    for word in q.split():
        like = f"%{_escaped(word)}%"
        tagged = exists().where(
            col(Tag.comparison_id) == Comparison.id, col(Tag.tag).ilike(like, escape="\\")
        )
        conditions.append(
            or_(
                col(Comparison.name).ilike(like, escape="\\"),
                col(Comparison.notes).ilike(like, escape="\\"),
                tagged,
            )
        )
    if tag:
        conditions.append(
            exists().where(col(Tag.comparison_id) == Comparison.id, col(Tag.tag) == tag)
        )
    if state:
        conditions.append(_has_state(state))
    total = session.exec(select(func.count()).select_from(Comparison).where(*conditions)).one()
    rows = session.exec(
        select(Comparison)
        .where(*conditions)
        .order_by(col(Comparison.created_at).desc(), col(Comparison.id))
        .offset((page - 1) * page_size)
        .limit(page_size)
    ).all()
    return list(rows), total


def change(
    write: Write, comparison: str, *, name: str | None, tags: list[str] | None, notes: str | None
) -> Comparison:
    """Rename, tag, note; None leaves as it is. The spec that was run stays as it was.

    Raises:
        NotFoundError: there is none of that id.
    """
    found = get(write.session, comparison)
    if name is not None:
        found.name = name
    if notes is not None:
        found.notes = notes
    if tags is not None:
        found.tags = tags
        write.session.exec(delete(Tag).where(col(Tag.comparison_id) == comparison))
        _index_tags(write.session, found)
    write.session.add(found)
    return found


def remove(write: Write, comparison: str) -> list[str]:
    """Delete a comparison with everything below it; the ids of its runs.

    Its points are only marked and go bit by bit (backend.store.points.purge). A running run learns
    from its next heartbeat that it is gone.

    Raises:
        NotFoundError: there is none of that id.
    """
    found = get(write.session, comparison)
    runs = list(write.session.exec(select(Run.id).where(Run.comparison_id == comparison)).all())
    for run in runs:
        discard(write.session, run)
    write.session.exec(delete(Comparison).where(col(Comparison.id) == found.id))
    write.updates[comparison].gone = True
    return runs


def tallies(session: Session, comparisons: Sequence[str]) -> dict[str, Tallies]:
    """For each comparison its runs by state."""
    timed = col(Run.started_at).is_not(None) & (col(Run.total_steps) > 0)
    share = col(Run.step) * 1.0 / func.nullif(Run.total_steps, 0)
    rows = session.connection().execute(
        columns(
            col(Run.comparison_id),
            col(Run.state),
            func.count(),
            func.coalesce(func.sum(share), 0.0),
            func.coalesce(func.sum(case((timed, Run.started_at))), 0.0),
            func.coalesce(func.sum(case((timed, Run.ended_at))), 0.0),
            func.coalesce(func.sum(func.cast(timed, Integer)), 0),
        )
        .where(col(Run.comparison_id).in_(comparisons))
        .group_by(col(Run.comparison_id), col(Run.state))
    )
    found: dict[str, Tallies] = {comparison: {} for comparison in comparisons}
    for comparison, state, runs, progress, started, ended, count in rows:
        found[comparison][state] = Tally(
            runs=runs, progress=progress, started=started, ended=ended, timed=count
        )
    return found


def _index_tags(session: Session, comparison: Comparison) -> None:
    session.add_all(
        Tag(tag=tag, comparison_id=comparison.id) for tag in dict.fromkeys(comparison.tags)
    )


def _has_state(state: str) -> ColumnElement[bool]:
    """A comparison's state is its runs' first in the order of importance."""

    def any_in(run_state: str) -> ColumnElement[bool]:
        return exists().where(col(Run.comparison_id) == Comparison.id, col(Run.state) == run_state)

    order = ("running", "queued", "failed", "cancelled", "succeeded")
    before = order[: order.index(state)]
    condition = any_in(state)
    for other in before:
        condition = condition & ~any_in(other)
    return condition


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
