"""Sums over ranges of steps, against the points added up one by one."""

import random

import pytest
from sqlmodel import Session, col, delete

from backend.db.database import Database
from backend.db.models import Point
from backend.metrics import points
from backend.metrics.step_sums import NOTHING, Steps, Sum, step_sums
from tests.backend.helpers import running

STEPS = 1_000
KEY = "dynamics.update_norm"


def filled(database: Database) -> tuple[str, dict[int, float | None]]:
    """Return a run with a series that has values at some of its steps."""
    random_ = random.Random(3)
    run = running(database).id
    values = {
        step: random_.random() if random_.random() < 0.9 else None
        for step in range(STEPS)
        if random_.random() < 0.8
    }
    with database.write() as write:
        ids = points.ensure_series(write.session, [(run, KEY)])
        points.insert(write.session, {ids[run, KEY]: (list(values), list(values.values()))})
    return run, values


def by_hand(values: dict[int, float | None], steps: Steps) -> Sum:
    end = STEPS if steps.end is None else steps.end
    found = [v for step, v in values.items() if steps.first <= step < end and v is not None]
    return Sum(sum(found), len(found))


def check(found: Sum | None, expected: Sum) -> None:
    assert found is not None
    assert found.values == expected.values
    assert found.total == pytest.approx(expected.total, rel=1e-12)


def test_any_range(database: Database) -> None:
    run, values = filled(database)
    edges = (0, 1, 255, 256, 257, 300, 511, 512, 768, 999)
    ranges = [Steps(KEY, a, b) for a in edges for b in (*edges, 5_000) if a < b]
    ranges += [Steps(KEY, a) for a in edges]
    with database.read() as session:
        found = step_sums(session, {run: ranges})[run]
    for steps in ranges:
        check(found[steps], by_hand(values, steps))


def test_a_run_without_the_series_has_nothing(database: Database) -> None:
    run, _ = filled(database)
    with database.read() as session:
        found = step_sums(session, {run: [Steps("dynamics.loss", 1)], "none": [Steps(KEY, 1)]})
    assert found == {run: {Steps("dynamics.loss", 1): NOTHING}, "none": {Steps(KEY, 1): NOTHING}}
    assert NOTHING.mean is None


@pytest.mark.parametrize("gone", [(256, 512), (256, 600)], ids=["whole", "within a bucket"])
def test_deleted_points_are_only_missed_where_a_range_cuts_their_bucket(
    database: Database, gone: tuple[int, int]
) -> None:
    run, values = filled(database)
    with database.write() as write:
        _delete(write.session, *gone)
    whole = [Steps(KEY, 1), Steps(KEY, 0, 200), Steps(KEY, 256, 512), Steps(KEY, 1, 768)]
    cut = [Steps(KEY, 300), Steps(KEY, 1, 400), Steps(KEY, 270, 280)]
    with database.read() as session:
        found = step_sums(session, {run: [*whole, *cut, Steps(KEY, 700)]})[run]
    for steps in whole:
        check(found[steps], by_hand(values, steps))
    assert all(found[steps] is None for steps in cut)
    if gone[1] == 512:
        check(found[Steps(KEY, 700)], by_hand(values, Steps(KEY, 700)))
    else:
        assert found[Steps(KEY, 700)] is None


def _delete(session: Session, first: int, end: int) -> None:
    session.exec(delete(Point).where(col(Point.step) >= first, col(Point.step) < end))
