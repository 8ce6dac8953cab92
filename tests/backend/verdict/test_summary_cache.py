"""Summaries are kept while no run is open, and never longer than they are true."""

import pytest
from sqlmodel import Session

from backend.comparisons import repository as comparisons
from backend.comparisons.repository import add_seeds
from backend.db.database import Database
from backend.db.models import Comparison
from backend.runs import repository as runs
from backend.verdict.summary import Summary, summarise
from backend.verdict.summary_cache import SummaryCache
from tests.backend.helpers import claim
from tests.backend.scripted_runs import Curves, run_script, scripted_comparison


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The baselines of the summaries that were computed."""
    asked: list[str | None] = []

    def counting(session: Session, comparison: Comparison, baseline: str | None = None) -> Summary:
        asked.append(baseline)
        return summarise(session, comparison, baseline)

    monkeypatch.setattr("backend.verdict.summary_cache.summarise", counting)
    return asked


def curves(arm: str, seed: int) -> Curves:
    return {"test.retrieval.map_at_r": {50: 0.6 + seed / 100 + 0.1 * (arm == "rank")}}


def test_a_summary_is_computed_once_while_nothing_changes(
    database: Database, computed: list[str | None]
) -> None:
    cache, comparison = SummaryCache(), scripted_comparison(database, curves)

    def ask(baseline: str | None = None) -> bytes:
        with database.read() as session:
            return cache.summary_json(session, comparisons.get(session, comparison), baseline)

    first = ask()
    assert ask() == first
    assert computed == [None]
    assert b'"baseline":"rank"' in ask("rank")
    assert ask("rank") != ask()
    assert computed == [None, "rank"]


def test_open_runs_new_seeds_and_retries_are_seen_at_once(
    database: Database, computed: list[str | None]
) -> None:
    states = {("rank", 1): "failed"}
    cache, comparison = SummaryCache(), scripted_comparison(database, curves, states=states)

    def ask() -> bytes:
        with database.read() as session:
            return cache.summary_json(session, comparisons.get(session, comparison), None)

    assert b'"runs_finished":5,"runs_total":6' in ask()
    with database.write() as write:
        [failed] = [
            run for run in runs.of_comparison(write.session, comparison) if run.state == "failed"
        ]
        runs.retry(write, failed)
    ask()
    ask()
    assert len(computed) == 3, "an open comparison's summary is not kept"
    _run_all(database)
    assert b'"runs_finished":6,"runs_total":6' in ask()
    with database.write() as write:
        add_seeds(write, comparison, [7], now=1003.0)
    assert b'"runs_finished":6,"runs_total":8' in ask()
    _run_all(database)
    assert b'"runs_finished":8,"runs_total":8' in ask()
    ask()
    assert len(computed) == 6


def _run_all(database: Database) -> None:
    while run := claim(database):
        run_script(database, run, curves(run.arm, run.seed))
