"""Old comparisons lose unneeded data, on both databases: figures, ends and envelopes stay."""

import os
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlmodel import Session, col, delete, func, select

from backend.arms.curves import arm_curves
from backend.arms.repository import SEPARATOR, Arm, find_by_reference
from backend.arms.values import best_epochs, run_values
from backend.comparisons import repository as comparisons
from backend.datasets.repository import Uploads
from backend.db.database import Database
from backend.db.models import Point, Projection, Run, RunFigures, Series
from backend.export import tables
from backend.maintenance.retention import POINTS_PER_STEP, Retention
from backend.maintenance.run_figures import FiguresKeeper
from backend.metrics import points, results, series
from backend.metrics.downsampling import Bucket, buckets_of_points, merge_buckets
from backend.metrics.measurements import (
    current_measurements,
    untrained_measurements,
)
from backend.metrics.run_figures import compute_figures, figures_of
from backend.metrics.series import Curve
from backend.runs import repository as runs
from backend.runs import snapshots
from backend.settings import Settings
from backend.storage.blobs import BLOBS_FOLDER, Blobs
from backend.verdict.service import give_verdict
from backend.verdict.summary import summarise
from contract.events import Event
from contract.metrics import METRICS
from tests.backend.conftest import Serve
from tests.backend.helpers import Attempt, claim, points_of, run_now, submit
from tests.backend.scripted_runs import PAIR, store_events
from tests.backend.worker_requests import on_disk
from tests.support.snapshots import fill
from tests.support.waiting import until

DAY = 86_400.0
EPOCHS, PER_EPOCH = 9, 700
STEPS = EPOCHS * PER_EPOCH
LAST = (STEPS - PER_EPOCH + 1) // 256
"""The bucket in which the last epoch starts."""
PER_STEP = [key for key, metric in METRICS.items() if metric.per_step]
KEPT = ("dynamics.loss", "dynamics.active_ratio", "dynamics.gradient_norm")
LONG = (*KEPT, "dynamics.update_norm", "dynamics.gradient_norm.embedding", "run.elapsed_s")
NOW = 1002.0 + 30 * DAY


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    made = Blobs(tmp_path / BLOBS_FOLDER)
    made.open()
    return made


def trained(database: Database, *, state: str = "succeeded", with_figures: bool = True) -> str:
    """Make a comparison of two long runs that ended at second 1002; return its id."""
    random_ = random.Random(5)
    comparison = submit(database, arms=list(PAIR)).id
    while run := claim(database):
        attempt = Attempt(run.id, run.attempt)
        started = attempt.started(STEPS).model_copy(update={"steps_per_epoch": PER_EPOCH})
        events: list[Event] = [started]
        for key in LONG:
            values = [random_.uniform(1, 2) / (1 + step / 999) for step in range(STEPS + 1)]
            values[3000] = 77.0 if key == "dynamics.update_norm" else values[3000]
            events.append(attempt.points(range(STEPS + 1), values, key))
        steps = [0, *range(PER_EPOCH, STEPS + 1, PER_EPOCH)]
        events += [
            attempt.points(steps, [random_.random() for _ in steps], key)
            for key in ("retrieval.map_at_r", "geometry.uniformity")
        ]
        test = attempt.points([PER_EPOCH * 4], [0.5], "test.retrieval.map_at_r")
        events += [test, attempt.checkpointed(PER_EPOCH * 5)]
        events.append(attempt.ended(state))
        store_events(database, *events)
    if with_figures:
        keep_all_figures(database)
    return comparison


def keep_all_figures(database: Database) -> None:
    """Store the figures of all runs, as the API does in the background."""
    keeper = FiguresKeeper(database)
    while keeper.step():
        pass


NO_UPLOADS = Uploads(Path("/nonexistent"))


def run_retention(database: Database, blobs: Blobs, now: float = NOW, **days: float | None) -> int:
    """Delete all that may be deleted; return the number of steps."""
    chosen: dict[str, float | None] = {"raw_days": None, "snapshot_days": None, **days}
    retention = Retention(database, blobs, NO_UPLOADS, clock=lambda: now, **chosen)
    steps = 1
    while retention.step():
        steps += 1
    return steps


def figures(database: Database, comparison: str) -> dict[str, str]:
    """Compute all numbers that a page or an export shows of it."""
    with database.read() as session:
        found = comparisons.get(session, comparison)
        own = runs.of_comparison(session, comparison)
        arms = arms_of(session, comparison)
        numbers: dict[str, Any] = {
            "summary": summarise(session, found),
            "verdict": give_verdict(session, found),
            "so far": current_measurements(session, own),
            "untrained": untrained_measurements(session, own),
            "last epochs": sorted(
                results.last_epoch_means(session, runs=[run.id for run in own], keys=PER_STEP)
            ),
            "best epochs": best_epochs(session, arms),
            "values": [run_values(session, arms, key) for key in METRICS],
            "table": [list(rows) for rows in tables.build_table(session, found, "results").batches],
        }
        return {name: without_retry_data(str(one)) for name, one in numbers.items()}


def without_retry_data(text: str) -> str:
    """Return the text without what only a retry needs, which may be deleted."""
    return re.sub(r"(start_after|checkpoint)=('[^']*'|None|\d+)", "", text)


def arms_of(session: Session, comparison: str) -> list[Arm]:
    found, unknown = find_by_reference(
        session, [f"{comparison}{SEPARATOR}{arm['name']}" for arm in PAIR]
    )
    assert unknown == []
    return found


def curve(database: Database, run: str, key: str, after: int = -1, most: int = 1000) -> Curve:
    with database.read() as session:
        rows = series.find(session, runs=[run], keys=[key])
        [found] = series.read(session, rows, after=after, max_points=most)
        return found


def points_on_disk(database: Database, key: str = "") -> int:
    """Count the raw points on disk one by one."""
    with database.read() as session:
        query = (
            select(func.count())
            .select_from(Point)
            .join(Series, col(Series.id) == col(Point.series_id))
        )
        return session.exec(query.where(Series.key == key) if key else query).one()


def counted_points(database: Database, comparison: str) -> int:
    with database.read() as session:
        return points.count(session, comparison)


def runs_of(database: Database, comparison: str) -> list[Run]:
    with database.read() as session:
        return runs.of_comparison(session, comparison)


def test_figures_ends_and_envelopes_stay(database: Database, blobs: Blobs) -> None:
    comparison = trained(database)
    before = figures(database, comparison)
    count = points_on_disk(database)
    run = runs_of(database, comparison)[0].id
    raw = {key: points_of(database, run, key) for key in LONG}
    assert counted_points(database, comparison) == count
    assert (
        run_retention(database, blobs, 1002.0 + 30 * DAY - 1, raw_days=30.0) == 1
    )  # not old enough
    assert run_retention(database, blobs) == 1  # for ever
    assert points_on_disk(database) == count
    assert run_retention(database, blobs, raw_days=29.0) >= 4
    assert run_retention(database, blobs, raw_days=29.0) == 1  # nothing is left to do
    assert figures(database, comparison) == before
    gone = 2 * 2 * (LAST - 1) * 256  # of two runs two keys, the buckets between the first and LAST
    assert points_on_disk(database) == count - gone
    assert counted_points(database, comparison) == points_on_disk(database)
    for key in (*KEPT, "run.elapsed_s", "retrieval.map_at_r"):
        assert points_on_disk(database, key) % (2 * (STEPS + 1 if key in LONG else EPOCHS + 1)) == 0
    for key in KEPT:
        assert points_of(database, run, key) == raw[key]
    steps, measured = raw["dynamics.update_norm"]
    whole = curve(database, run, "dynamics.update_norm", most=100_000)
    assert whole.total == STEPS + 1
    check_curve(whole, buckets(steps, measured, 8))  # as wide as each other, as ever
    assert whole.high is not None
    assert max(value for value in whole.high if value is not None) == 77.0
    for most, width in ((25, 8), (24, 9), (12, 10), (1, 13)):
        coarse = curve(database, run, "dynamics.update_norm", most=most)
        check_curve(coarse, buckets(steps, measured, width))
    with database.read() as session:  # first and last values are still what was measured
        keys = ["dynamics.update_norm"]
        [first, *_] = results.untrained_values(session, runs=[run], keys=keys)
        [last, *_] = results.last_values(session, runs=[run], keys=keys)
    assert (first.value, last.value) == (measured[0], measured[-1])
    after = curve(database, run, "dynamics.update_norm", after=LAST * 256 + 5)
    assert (after.steps, after.low) == ([*range(LAST * 256 + 6, STEPS + 1)], None)
    cut = curve(database, run, "dynamics.update_norm", after=300, most=100_000)
    assert cut.steps[0] == 512


def test_a_run_of_a_trial_is_thinned_without_figures(database: Database, blobs: Blobs) -> None:
    """No verdict reads it; the final run beside it, whose figures are missing, keeps its points."""
    comparison = trained(database, with_figures=False)
    [trial, final] = runs_of(database, comparison)
    with database.write() as write:
        runs.get(write.session, trial.id).role = "trial"
    before = {run.id: points_of(database, run.id, LONG[3])[0] for run in (trial, final)}
    run_retention(database, blobs, raw_days=1.0)
    left = {run.id: raw_steps(database, run.id, LONG[3]) for run in (trial, final)}
    assert left[final.id] == len(before[final.id])
    assert 0 < left[trial.id] < len(before[trial.id])
    objective = [raw_steps(database, run.id, "retrieval.map_at_r") for run in (trial, final)]
    assert objective == [EPOCHS + 1] * 2


def raw_steps(database: Database, run: str, key: str) -> int:
    """Return how many raw points a series still has."""
    with database.read() as session:
        own = select(Series.id).where(Series.run_id == run, Series.key == key)
        return session.exec(
            select(func.count()).select_from(Point).where(col(Point.series_id).in_(own))
        ).one()


def test_a_run_keeps_its_points_until_its_figures_are_stored(
    database: Database, blobs: Blobs
) -> None:
    comparison = trained(database, with_figures=False)
    count = points_on_disk(database)
    assert run_retention(database, blobs, raw_days=1.0) == 1
    assert points_on_disk(database) == count
    keep_all_figures(database)
    run_retention(database, blobs, raw_days=1.0)
    assert points_on_disk(database) < count
    [run, _] = runs_of(database, comparison)
    with database.read() as session:
        [kept] = figures_of(session, [run]).values()
        [computed] = compute_figures(session, [run]).values()
    # From its roll-up. The second half begins within a bucket, so its share is the stored one.
    mean = "dynamics.update_norm.mean"
    assert computed.statistics[mean].value == pytest.approx(kept.statistics[mean].value, rel=1e-12)
    assert replace(computed, statistics={}) == replace(kept, statistics={})
    assert computed.statistics.keys() == kept.statistics.keys()
    share = "dynamics.update_norm.late_share"
    assert computed.statistics[share] == kept.statistics[share]
    with database.write() as write:  # as of a run that lost its points in version 0.5
        write.session.exec(delete(RunFigures))
    with database.read() as session:
        [late] = figures_of(session, [run]).values()
    assert late.statistics.keys() == kept.statistics.keys() - {share}


def buckets(steps: list[int], measured: list[Any], k: int) -> list[Bucket]:
    """Return the buckets of a thinned series by the pure function."""
    return [
        one._replace(at=one.at << k) for one in merge_buckets(buckets_of_points(steps, measured), k)
    ]


def check_curve(curve: Curve, expected: list[Bucket]) -> None:
    assert curve.low is not None
    assert curve.high is not None
    assert curve.steps == [one.at for one in expected]
    assert curve.low == [one.low for one in expected]
    assert curve.high == [one.high for one in expected]
    assert curve.values == pytest.approx([one.mean for one in expected], rel=1e-12)


def test_curves_of_arms_keep_their_means(database: Database, blobs: Blobs) -> None:
    comparison = trained(database)

    def drawn(most: int) -> list[tuple[int, list[int], Any, Any]]:
        with database.read() as session:
            arms = arms_of(session, comparison)
            made = arm_curves(
                session, arms, "dynamics.update_norm", max_points=most, with_elapsed=True
            )
        return [(one.width, one.steps, one.mean, one.elapsed) for one in made]

    before = drawn(30)
    run_retention(database, blobs, raw_days=1.0)
    for most in (30, 2000, 100_000):  # none can be finer than the roll-up any more
        for was, now in zip(before, drawn(most), strict=True):
            assert (now[0], now[1]) == (was[0], was[1]) == (256, list(range(0, STEPS + 1, 256)))
            np.testing.assert_allclose(now[2], was[2], rtol=1e-12)
            np.testing.assert_allclose(now[3], was[3], rtol=1e-12)


def test_data_is_deleted_in_short_transactions_between_which_reads_are_complete(
    database: Database, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.maintenance.retention.POINTS_PER_STEP", 1000)
    comparison = trained(database)
    run = runs_of(database, comparison)[0].id
    expected = buckets(*points_of(database, run, "dynamics.update_norm"), 8)
    retention = Retention(
        database,
        blobs,
        NO_UPLOADS,
        raw_days=1.0,
        snapshot_days=None,
        clock=lambda: 1002.0 + 2 * DAY,
    )
    left = points_on_disk(database)
    while retention.step():
        now = points_on_disk(database)
        assert 0 < left - now <= 1000
        left = now
        found = curve(database, run, "dynamics.update_norm", most=40)
        check_curve(found, expected)
        assert curve(database, run, "dynamics.update_norm", most=100_000).total == STEPS + 1
        assert counted_points(database, comparison) <= STEPS * 20
    assert counted_points(database, comparison) == points_on_disk(database)
    assert POINTS_PER_STEP == 20_000


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_retry_of_a_thinned_run_starts_over(database: Database, blobs: Blobs, state: str) -> None:
    comparison = trained(database, state=state)
    digest = blobs.put(b"its state")
    os.utime(blobs.path(digest), (1000, 1000))
    run = runs_of(database, comparison)[0].id
    with database.write() as write:
        row = runs.get(write.session, run)
        row.checkpoint = digest
        write.session.add(row)
    run_retention(database, blobs, raw_days=1.0)
    assert on_disk(blobs) == {}
    now = run_now(database, run)
    assert (now.checkpoint, now.start_after) == (None, 0)
    with database.write() as write:
        runs.retry(write, runs.get(write.session, run))
    again = claim(database)
    assert again is not None
    assert points_of(database, run, "dynamics.update_norm") == ([], [])
    attempt = Attempt(run, again.attempt)
    store_events(
        database, attempt.started(STEPS), attempt.points([0, 1], key="dynamics.update_norm")
    )
    assert points_of(database, run, "dynamics.update_norm") == ([0, 1], [0.0, 1.0])


def test_active_comparisons_are_left_alone(database: Database, blobs: Blobs) -> None:
    comparison = trained(database, state="failed")
    retention = Retention(
        database,
        blobs,
        NO_UPLOADS,
        raw_days=1.0,
        snapshot_days=None,
        clock=lambda: 1002.0 + 2 * DAY,
    )
    retention._search(1002.0 + 2 * DAY)
    count = points_on_disk(database)
    with database.write() as write:  # between the look and the deed
        for run in runs.of_comparison(write.session, comparison):
            runs.retry(write, run)
    while retention.step():
        pass
    assert points_on_disk(database) == count
    assert run_retention(database, blobs, raw_days=1.0) == 1  # it waits, so it is not over


def test_only_the_first_and_the_last_snapshot_stay(database: Database, blobs: Blobs) -> None:
    comparison = fill(database, blobs, arms=2, seeds=2, epochs=4, samples=40)
    other = fill(database, blobs, arms=1, seeds=1, epochs=3, samples=60)
    with database.read() as session:
        end = max(run.ended_at or 0 for run in runs.of_comparison(session, comparison))
        was = snapshots.blob_kinds(session, comparison)
    with database.write() as write:  # this one ended later
        for run in runs.of_comparison(write.session, other):
            run.ended_at = end + 10 * DAY
            write.session.add(run)
    before = on_disk(blobs)
    with database.read() as session:
        theirs = snapshots.blob_kinds(session, other)
    run_retention(database, blobs, end + 5 * DAY, snapshot_days=3.0)
    with database.read() as session:
        now = snapshots.blob_kinds(session, comparison)
        shown = {(row.run, row.epoch) for row in snapshots.of_comparison(session, comparison)}
        projected = session.exec(
            select(Projection).where(Projection.comparison_id == comparison)
        ).all()
        assert snapshots.blob_kinds(session, other) == theirs
    assert {epoch for _, epoch in shown} == {0, 4}
    assert len(shown) == 2 * 4
    assert projected == []
    assert now.items() < was.items()
    assert on_disk(blobs).keys() == before.keys() - (was.keys() - now.keys() - theirs.keys())
    assert run_retention(database, blobs, end + 5 * DAY, snapshot_days=3.0) == 1


def test_the_api_deletes_old_data_by_itself_and_reports_the_size_that_is_left(
    serve: Serve, settings: Settings
) -> None:
    with serve(replace(settings, keep_raw_days=1.0, keep_snapshot_days=1.0)) as (api, parts):
        assert parts.settings.keep_raw_days == 1.0
        comparison = trained(parts.database)
        pictures = fill(parts.database, parts.blobs, seeds=1, epochs=4, samples=40)
        with parts.database.write() as write:
            for run in runs.of_comparison(write.session, pictures):
                run.ended_at = 1002.0
                write.session.add(run)
    with serve(replace(settings, keep_raw_days=1.0, keep_snapshot_days=1.0)) as (api, parts):

        def spaces() -> tuple[int, list[int]]:
            [run, *_] = api.get(f"/comparisons/{pictures}/space")["runs"]
            return api.get(f"/comparisons/{comparison}/size")["points"], run["epochs"]

        until(lambda: spaces()[1] == [0, 4], "the snapshots to go")
        assert spaces()[0] == stored_of(parts.database, comparison)
        size = api.get(f"/comparisons/{pictures}/size")
        assert size["bytes"] == sum(on_disk(parts.blobs).values())


def stored_of(database: Database, comparison: str) -> int:
    with database.read() as session:
        query = (
            select(func.count())
            .select_from(Point)
            .join(Series, col(Series.id) == col(Point.series_id))
            .join(Run, col(Run.id) == col(Series.run_id))
        )
        return session.exec(query.where(Run.comparison_id == comparison)).one()


def test_unused_blobs_are_deleted_within_hours_too(database: Database, blobs: Blobs) -> None:
    fill(database, blobs, seeds=1, epochs=1, samples=40)
    needed = on_disk(blobs)
    old, young = blobs.put(b"put, and its trainer killed"), blobs.put(b"just put")
    now = blobs.path(young).stat().st_mtime
    for digest in (*needed, old):
        os.utime(blobs.path(digest), (now - 2 * 3600, now - 2 * 3600))
    run_retention(database, blobs, now)
    assert on_disk(blobs).keys() == needed.keys() | {young}
