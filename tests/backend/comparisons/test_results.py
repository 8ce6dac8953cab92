"""What the board shows of comparisons that have ended: computed once, and anew when runs change."""

import logging
from typing import Any

import pytest
import redis

from backend.comparisons import repository as comparisons
from backend.comparisons.results import data_key, find_without_result, results_of
from backend.db.database import BusyError, Database
from backend.db.models import ComparisonResult
from backend.settings import Settings
from backend.verdict import kept_results
from backend.verdict.kept_results import ResultsKeeper, keep_result
from tests.backend.conftest import Serve
from tests.backend.helpers import Attempt, send
from tests.backend.scripted_runs import Curves, per_epoch, scripted_comparison
from tests.support.statements import count_statements
from tests.support.waiting import until

QUALITY = {"pull": 0.5, "rank": 0.6, "other": 0.6}


def curves(arm: str, seed: int) -> Curves:
    value = QUALITY[arm] + 0.01 * seed + (0.001 * seed**2 if arm == "pull" else 0.0)
    return {
        "dynamics.loss": per_epoch(1.0, *[0.3] * 10),
        "test.retrieval.map_at_r": {50: value},
        "test.retrieval.recall_at_1": {50: value},
    }


def stored(database: Database, comparison: str) -> Any:
    with database.read() as session:
        return results_of(session, [comparison]).get(comparison)


def missing(database: Database) -> list[str]:
    with database.read() as session:
        return find_without_result(session, after="", limit=100)


def keep_all(database: Database) -> None:
    keeper = ResultsKeeper(database)
    while keeper.step():
        pass


def test_the_best_arm_and_the_tally_of_the_claims_are_stored(database: Database) -> None:
    made = scripted_comparison(database, curves)
    assert missing(database) == [made]
    keep_all(database)
    found = stored(database, made)
    assert (found.best.arm, found.best.metric) == ("rank", "test.retrieval.map_at_r")
    assert (found.best.mean, found.best.sd) == (pytest.approx(0.61), pytest.approx(0.01))
    assert (found.best.n, found.best.level_with) == (3, 0)
    assert sum(found.claims.values()) == 9
    assert found.claims["not_measured"] > 0
    assert found.no_claims == ""
    assert missing(database) == []


def test_without_the_two_losses_of_the_claims_it_says_why_and_still_names_the_best(
    database: Database,
) -> None:
    arms = [{"name": "other", "loss": {"kind": "triplet"}}]
    made = scripted_comparison(database, curves, arms=arms)
    keep_all(database)
    found = stored(database, made)
    assert found.best.arm == "other"
    assert found.claims is None
    assert "no contrastive arm" in found.no_claims


def test_one_without_a_value_has_no_best_arm(database: Database) -> None:
    made = scripted_comparison(
        database, lambda *_: {}, states={(arm, 0): "failed" for arm in QUALITY}, seeds=[0]
    )
    keep_all(database)
    found = stored(database, made)
    assert found.best is None
    assert found.claims is None


def test_more_seeds_take_the_result_away_until_their_runs_have_ended(database: Database) -> None:
    made = scripted_comparison(database, curves)
    keep_all(database)
    with database.write() as write:
        comparisons.add_seeds(write, made, [7], now=1005.0)
    assert stored(database, made) is None
    assert missing(database) == []  # it has not ended
    keep_result(database, made)
    assert stored(database, made) is None


def test_another_attempt_or_version_is_computed_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = scripted_comparison(database, curves)
    keep_all(database)
    with database.write() as write:
        row = write.session.get(ComparisonResult, made)
        assert row is not None
        row.attempts -= 1  # as if a run had been retried since
        write.session.add(row)
    assert stored(database, made) is None
    assert missing(database) == [made]
    keep_all(database)
    assert stored(database, made).best.n == 3
    monkeypatch.setattr("backend.comparisons.results.RESULT_VERSION", 0)
    assert stored(database, made) is None
    assert missing(database) == [made]


def test_a_busy_database_is_asked_again_and_a_damaged_comparison_holds_up_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = sorted(scripted_comparison(database, curves, seeds=[0]) for _ in range(2))
    keep, busy = keep_result, [True]

    def keep_or_fail(of: Database, comparison: str) -> None:
        if comparison == first:
            raise ValueError("damaged")
        if busy:
            busy.clear()
            raise BusyError("another program has locked it")
        keep(of, comparison)

    monkeypatch.setattr(kept_results, "keep_result", keep_or_fail)
    keeper = ResultsKeeper(database)
    with caplog.at_level(logging.ERROR):
        assert keeper.step()
        with pytest.raises(BusyError):
            keeper.step()
        while keeper.step():
            pass
    assert stored(database, second) is not None
    assert [first in record.getMessage() for record in caplog.records] == [True]


@pytest.mark.both_databases
def test_the_api_lists_results_of_old_comparisons_and_of_those_that_end(
    serve: Serve, settings: Settings, database: Database, broker_url: str
) -> None:
    old = scripted_comparison(database, curves, name="old")
    with serve(settings) as (api, parts), redis.Redis.from_url(broker_url) as client:
        until(lambda: stored(database, old), "the result of the old comparison")
        arms = [{"name": "other", "loss": {"kind": "triplet"}}]
        new = api.submit(name="new", arms=arms)
        claimed = api.claim()
        assert claimed is not None
        attempt = Attempt(claimed["run"])
        started = attempt.started()
        value = attempt.points([50], [0.9], key="test.retrieval.map_at_r")
        send(client, started, value, attempt.ended())
        until(lambda: stored(database, new), "the result of the comparison that ended")
        api.submit(name="open", data={"kind": "digits", "seed": 3})
        listed = api.get("/comparisons", sort="result")["comparisons"]
        assert [one["name"] for one in listed] == ["new", "old", "open"]
        assert listed[0]["result"]["best"]["mean"] == pytest.approx(0.9)
        assert listed[0]["result"]["best"]["sd"] is None
        assert listed[2]["result"] is None
        assert api.get(f"/comparisons/{old}")["result"] == listed[1]["result"]
        with count_statements(parts.database) as one_page:
            api.get("/comparisons")
        for _ in range(3):
            api.submit()
        with count_statements(parts.database) as longer:
            api.get("/comparisons")
        assert len(longer) == len(one_page)
        assert api.http.delete(f"/api/v1/comparisons/{old}").status_code == 204
        with database.read() as session:
            assert session.get(ComparisonResult, old) is None


def test_data_are_the_same_whatever_the_seed_of_their_split() -> None:
    one = {"data": {"kind": "digits", "seed": 0, "test": 0.2}}
    other = {"data": {"kind": "digits", "seed": 5, "test": 0.2}}
    assert data_key(one) == data_key(other)
    assert data_key(one) != data_key({"data": {"kind": "digits", "seed": 0, "test": 0.5}})
