"""Figures are stored by the API: of runs that end, and once of those that ended before it began."""

import logging
from collections.abc import Sequence

import pytest
import redis
from sqlmodel import Session, select

from backend.db.database import BusyError, Database
from backend.db.models import Run, RunFigures
from backend.maintenance import run_figures as keeping
from backend.maintenance.run_figures import FiguresKeeper, keep_figures
from backend.metrics.run_figures import FIGURES_VERSION, Figures, compute_figures
from backend.runs import repository as runs
from backend.settings import Settings
from tests.backend.conftest import Serve
from tests.backend.helpers import Attempt, send
from tests.backend.scripted_runs import Curves, per_epoch, scripted_comparison
from tests.support.waiting import until

CURVES: Curves = {
    "dynamics.loss": per_epoch(1.0, *[0.3] * 10),
    "test.retrieval.map_at_r": {50: 0.6},
}


def stored(database: Database) -> set[str]:
    with database.read() as session:
        rows = session.exec(select(RunFigures)).all()
        assert {row.version for row in rows} <= {FIGURES_VERSION}
        return {row.run_id for row in rows}


def three_ended(database: Database) -> list[str]:
    """Make three runs that have succeeded; return their ids in rising order."""
    arms = [{"name": "rank", "loss": {"kind": "triplet"}}]
    scripted_comparison(database, lambda *_: CURVES, arms=arms)
    with database.read() as session:
        return sorted(session.exec(select(Run.id)).all())


@pytest.mark.both_databases
def test_the_api_stores_figures_of_old_runs_and_of_those_that_end(
    serve: Serve, settings: Settings, database: Database, broker_url: str
) -> None:
    old = set(three_ended(database))
    assert stored(database) == set()
    with serve(settings) as (api, _), redis.Redis.from_url(broker_url) as client:
        until(lambda: stored(database) == old, "the figures of old runs")
        comparison = api.submit(seeds=[1])
        claimed = api.claim()
        assert claimed is not None
        attempt = Attempt(claimed["run"])
        started = attempt.started()
        points = attempt.points(range(101), key="dynamics.loss")
        send(client, started, points, attempt.ended())
        until(lambda: claimed["run"] in stored(database), "the figures of the run that ended")
        assert api.get(f"/comparisons/{comparison}/summary")["runs_finished"] == 1
        assert api.http.delete(f"/api/v1/comparisons/{comparison}").status_code == 204
        assert stored(database) == old


def test_a_restart_goes_on_where_the_process_ended(database: Database) -> None:
    first, *others = three_ended(database)
    keeper = FiguresKeeper(database)
    while keeper.step() and not stored(database):
        pass
    assert stored(database) == {first}
    again = FiguresKeeper(database)
    again.keep_soon([others[-1]])  # one that has just ended is served first
    again.step()
    assert stored(database) == {first, others[-1]}
    while again.step():
        pass
    assert stored(database) == {first, *others}


def test_all_are_found_however_many(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "SEARCHED_TOGETHER", 1)
    ids = three_ended(database)
    keeper = FiguresKeeper(database)
    while keeper.step():
        pass
    assert stored(database) == set(ids)


def test_a_busy_database_is_asked_again_and_a_damaged_run_holds_up_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second, third = three_ended(database)
    compute = compute_figures
    busy = [True]

    def compute_or_fail(session: Session, of: Sequence[Run]) -> dict[str, Figures]:
        if of[0].id == first:
            raise ValueError("damaged")
        if busy and of[0].id == second:
            busy.clear()
            raise BusyError("another program has locked it")
        return compute(session, of)

    monkeypatch.setattr(keeping, "compute_figures", compute_or_fail)
    keeper = FiguresKeeper(database)
    with caplog.at_level(logging.ERROR):
        assert keeper.step()  # the damaged one
        with pytest.raises(BusyError):
            keeper.step()
        while keeper.step():
            pass
    assert stored(database) == {second, third}
    assert [first in record.getMessage() for record in caplog.records] == [True]


def test_a_run_that_is_gone_or_goes_on_gets_none(database: Database) -> None:
    gone, again, _ = three_ended(database)
    with database.write() as write:
        write.session.delete(runs.get(write.session, gone))
        row = runs.get(write.session, again)
        row.state = "queued"
        write.session.add(row)
    for run in (gone, again):
        keep_figures(database, run)
    assert stored(database) == set()
