"""Series read back from real rows."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.db.database import Database
from backend.metrics import points, series
from backend.metrics.downsampling import ROLLUP_LEVEL, buckets_of_points, merge_buckets
from backend.metrics.series import Curve
from tests.backend.helpers import running
from tests.support.examples import at_most

Points = dict[int, float | None]


def insert(database: Database, run: str, curve: Points, key: str = "k") -> None:
    steps = sorted(curve)
    with database.write() as write:
        ids = points.ensure_series(write.session, [(run, key)])
        points.insert(write.session, {ids[run, key]: (steps, [curve[s] for s in steps])})


def read(
    database: Database, run: str, after: int = -1, max_points: int = 1000, key: str = "k"
) -> Curve:
    with database.read() as session:
        rows = series.find(session, runs=[run], keys=[key])
        [curve] = series.read(session, rows, after=after, max_points=max_points)
        return curve


@hypothesis_settings(
    max_examples=at_most(40),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    batches=st.lists(
        st.dictionaries(st.integers(0, 3000), st.none() | st.floats(-9, 9), max_size=60),
        max_size=5,
    ),
    after=st.integers(-1, 3000),
    max_points=st.integers(1, 80),
)
def test_stored_in_any_batches_reads_as_the_pure_function_says(
    database: Database, batches: list[Points], after: int, max_points: int
) -> None:
    run = running(database).id
    whole: Points = {0: 1.0}
    for batch in [whole, *batches]:
        insert(database, run, batch)
        whole = {**batch, **whole}  # the first value of a step stays
    curve = read(database, run, after, max_points)
    kept = {step: whole[step] for step in sorted(whole) if step > after}
    assert curve.total == len(kept)
    assert len(curve.steps) <= max_points
    if curve.low is None:
        assert dict(zip(curve.steps, curve.values, strict=True)) == kept
        assert curve.steps == sorted(curve.steps)
        return
    k = next(
        k
        for k in range(13)
        if [b.at << k for b in merge_buckets(buckets_of_points(list(kept), list(kept.values())), k)]
        == curve.steps
    )
    expected = merge_buckets(buckets_of_points(list(kept), list(kept.values())), k)
    assert curve.low == [b.low for b in expected]
    assert curve.high == [b.high for b in expected]
    for value, bucket in zip(curve.values, expected, strict=True):
        assert value == (None if bucket.mean is None else pytest.approx(bucket.mean, abs=1e-9))


def test_a_spike_survives_in_a_long_series(database: Database) -> None:
    run = running(database).id
    curve: Points = dict.fromkeys(range(100_000), 0.0)
    curve[54_321] = 7.0
    insert(database, run, curve)
    read_back = read(database, run, max_points=100)
    assert read_back.total == 100_000
    assert 50 <= len(read_back.steps) <= 100
    assert read_back.high is not None
    assert read_back.high.count(7.0) == 1
    width = read_back.steps[1] - read_back.steps[0]
    assert width & (width - 1) == 0
    assert width >= 1 << ROLLUP_LEVEL
    assert read_back.steps[read_back.high.index(7.0)] == 54_321 // width * width


def test_keys_and_runs_are_found_in_order(database: Database) -> None:
    one, two = running(database).id, running(database).id
    for run in (one, two):
        insert(database, run, {0: 1.0}, "a")
        insert(database, run, {0: 1.0}, "b")
    with database.read() as session:
        found = series.find(session, runs=[two, one], keys=[])
        assert [(row.run_id, row.key) for row in found] == [
            *((two, "a"), (two, "b"), (one, "a"), (one, "b")),
        ]
        assert [row.key for row in series.find(session, runs=[one], keys=["b", "z"])] == ["b"]


def test_discarded_points_are_purged_in_small_batches(database: Database) -> None:
    run = running(database).id
    insert(database, run, dict.fromkeys(range(1000), 1.0))
    with database.write() as write:
        points.delete_after_step(write.session, run, -1)
    transactions = 0
    while True:
        with database.read() as session:
            if not points.any_discarded(session):
                break
        with database.write() as write:
            points.purge_discarded(write.session, limit=300)
        transactions += 1
    assert transactions == 4
    with database.read() as session:
        for table in ("point", "fine_rollup", "rollup", "series", "discarded"):
            count = session.connection().exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
            assert count == 0, table
