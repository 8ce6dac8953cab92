"""Figures of runs: what is in them, and when stored ones are read or computed anew."""

import json

import pytest
from sqlalchemy import event
from sqlmodel import select

from backend.db.database import Database
from backend.db.models import Run, RunFigures
from backend.metrics import run_figures
from backend.metrics.run_figures import (
    Figures,
    compute_figures,
    figures_of,
    find_without_figures,
    store_figures,
)
from backend.metrics.run_statistics import Statistic
from backend.runs import repository as runs
from tests.backend.helpers import claim, run_now
from tests.backend.scripted_runs import Curves, per_epoch, run_script, scripted_comparison

CURVES: Curves = {
    "dynamics.loss": per_epoch(1.0, 0.6, 0.4, *[0.3] * 8),
    "dynamics.active_ratio": per_epoch(1.0, *[0.7] * 9, 0.2),
    "dynamics.empty_steps": {step: step // 40 for step in range(1, 101)},
    "dynamics.update_norm": {step: step / 100 for step in range(10, 101, 10)},
    "retrieval.map_at_r": {0: 0.2, 50: 0.9, 70: None, 100: 0.5},
    "geometry.hubness": {0: None, 100: None},
    "test.retrieval.map_at_r": {50: 0.6},
    "test.last.retrieval.map_at_r": {100: 0.4},
    "backbone.retrieval.map_at_r": {0: 0.31},
    "backbone.test.retrieval.map_at_r": {0: 0.32},
    "chance.retrieval.map_at_r": {0: 0.1},
}


def one_run(database: Database, state: str = "succeeded") -> Run:
    comparison = scripted_comparison(
        database,
        lambda *_: CURVES,
        arms=[{"name": "rank", "loss": {"kind": "triplet"}}],
        seeds=[1],
        states={("rank", 1): state},
    )
    with database.read() as session:
        [run] = runs.of_comparison(session, comparison)
    return run


def read(database: Database, run: Run) -> Figures | None:
    with database.read() as session:
        return figures_of(session, [run]).get(run.id)


def store(database: Database, run: Run) -> Figures:
    with database.write() as write:
        figures = compute_figures(write.session, [run])[run.id]
        store_figures(write.session, run, figures)
    return figures


def stored(database: Database) -> list[RunFigures]:
    with database.read() as session:
        return list(session.exec(select(RunFigures)).all())


def test_all_that_a_run_has_measured(database: Database) -> None:
    run = one_run(database)
    computed = store(database, run)
    assert read(database, run) == computed
    assert computed.final == {
        "retrieval.map_at_r": (100, 0.5),
        "geometry.hubness": (100, None),
        "test.retrieval.map_at_r": (50, 0.6),
        "test.last.retrieval.map_at_r": (100, 0.4),
    }
    assert computed.untrained == {"retrieval.map_at_r": 0.2, "geometry.hubness": None}
    assert computed.references == {
        "backbone.retrieval.map_at_r": 0.31,
        "backbone.test.retrieval.map_at_r": 0.32,
        "chance.retrieval.map_at_r": 0.1,
    }
    assert computed.last_epoch == {
        "dynamics.loss": pytest.approx(0.3),
        "dynamics.active_ratio": pytest.approx(0.2),
    }
    assert computed.counts == {"dynamics.empty_steps": 2}
    assert computed.map_at_r == [(0, 0.2), (5, 0.9), (10, 0.5)]
    assert computed.statistics["dynamics.loss_decay_epochs"] == Statistic(10, censored=True)
    assert computed.statistics["dynamics.update_norm.late_share"].value == pytest.approx(4 / 5.5)


@pytest.mark.parametrize("state", ["running", "failed", "cancelled"])
def test_only_runs_that_have_succeeded_have_figures(database: Database, state: str) -> None:
    run = one_run(database, state)
    assert read(database, run) is None
    with database.read() as session:
        assert find_without_figures(session, after="", limit=9) == []


def test_stored_figures_are_read_and_no_point(database: Database) -> None:
    run = one_run(database)
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    assert read(database, run)
    assert any("FROM series" in sql for sql in statements)
    store(database, run)
    statements.clear()
    assert read(database, run)
    assert [sql for sql in statements if "series" in sql or "point" in sql] == []


def test_another_version_is_computed_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = one_run(database)
    figures = store(database, run)
    with database.read() as session:
        assert find_without_figures(session, after="", limit=9) == []
    with database.write() as write:
        [row] = write.session.exec(select(RunFigures)).all()
        row.figures = {**row.figures, "final": {"retrieval.map_at_r": [100, 0.77]}}
        write.session.add(row)
    now = read(database, run)
    assert now is not None
    assert now.final == {"retrieval.map_at_r": (100, 0.77)}, "the stored ones are read"
    monkeypatch.setattr(run_figures, "FIGURES_VERSION", run_figures.FIGURES_VERSION + 1)
    assert read(database, run) == figures
    with database.read() as session:
        assert find_without_figures(session, after="", limit=9) == [run.id]
        assert find_without_figures(session, after=run.id, limit=9) == []
    store(database, run)
    assert [row.version for row in stored(database)] == [run_figures.FIGURES_VERSION]


def test_another_attempt_has_its_own_figures(database: Database) -> None:
    run = one_run(database)
    store(database, run)
    with database.write() as write:  # as if it had failed and been retried
        row = runs.get(write.session, run.id)
        row.state, row.attempt = "queued", 2
        write.session.add(row)
    again = claim(database)
    assert again is not None
    assert read(database, again) is None
    run_script(database, again, {"test.retrieval.map_at_r": {100: 0.8}})
    now = read(database, run_now(database, run.id))
    assert now is not None
    assert now.final == {"test.retrieval.map_at_r": (100, 0.8)}


def test_figures_of_a_deleted_run_are_gone(database: Database) -> None:
    run = one_run(database)
    store(database, run)
    with database.write() as write:
        write.session.delete(runs.get(write.session, run.id))
    assert stored(database) == []


def test_the_stored_form_is_plain_json(database: Database) -> None:
    store(database, one_run(database))
    [row] = stored(database)
    assert json.loads(json.dumps(row.figures, allow_nan=False)) == row.figures
