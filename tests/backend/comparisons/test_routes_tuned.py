"""A comparison that is tuned: every answer is of its final runs, and nothing is left of its trials
when it is deleted."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from sqlmodel import select

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Discarded, Run, RunFigures, Series, Trial
from backend.maintenance.run_figures import FiguresKeeper
from backend.metrics import points
from backend.metrics.run_figures import find_without_figures
from backend.runs import snapshots
from backend.state import Parts
from backend.verdict.summary_cache import SummaryCache
from contract.events import Snapshot
from tests.backend.helpers import Api, check_error
from tests.support.tuned import TunedComparison, store_tuned

KEY = "retrieval.map_at_r"
OF_A_TRIAL = 0.875
"""A value that only runs of trials have."""
DONE = ["succeeded", "succeeded"]


def measure(database: Database, runs: Iterable[Run], value: float) -> None:
    """Store what runs measured; of trials too what none can measure, a value on the test split."""
    columns: Mapping[str, tuple[list[int], list[float | None]]] = {
        "dynamics.loss": ([1, 128], [value, value]),
        KEY: ([0, 64, 128], [0.1, value, value]),
        f"test.{KEY}": ([128], [value]),
    }
    with database.write() as write:
        wanted = {(run.id, key): column for run in runs for key, column in columns.items()}
        ids = points.ensure_series(write.session, wanted)
        points.insert(write.session, {ids[name]: column for name, column in wanted.items()})


@pytest.fixture
def over(parts: Parts) -> TunedComparison:
    """A search with a failed trial, and its final runs, which have succeeded."""
    trials = {"pull": ["complete", "failed", "complete"], "rank": ["failed", "failed", "complete"]}
    made = store_tuned(parts.database, trials, {"pull": DONE, "rank": DONE})
    measure(parts.database, made.trial_runs, OF_A_TRIAL)
    measure(parts.database, made.finals, 0.5)
    return made


@pytest.fixture
def under_way(parts: Parts) -> TunedComparison:
    """A search with trials in every state, and no final run."""
    states = ["complete", "failed", "running", "waiting"]
    made = store_tuned(parts.database, {"pull": states, "rank": states})
    measure(parts.database, [run for run in made.runs if run.started_at], OF_A_TRIAL)
    return made


@pytest.mark.both_databases
def test_runs_are_final_ones_unless_others_are_asked_for(api: Api, over: TunedComparison) -> None:
    def listed(**asked: str) -> list[str]:
        return [run["id"] for run in api.get(f"/comparisons/{over.id}/runs", **asked)["runs"]]

    finals, of_trials = [run.id for run in over.finals], [run.id for run in over.trial_runs]
    assert listed() == listed(role="final") == finals
    assert listed(role="trial") == of_trials
    assert listed(role="all") == [*of_trials, *finals]
    rows = api.get(f"/comparisons/{over.id}/runs", role="all")["runs"]
    assert [(row["role"], row["trial"], row["fold"]) for row in rows] == [
        *(("trial", number, fold) for number in range(3) for _ in range(2) for fold in (0, 1)),
        *[("final", 0, None), ("final", 2, None)] * 2,
    ]
    check_error(api.http.get(f"/api/v1/comparisons/{over.id}/runs?role=x"), 422, "invalid_request")


def test_no_value_of_a_trial_is_in_any_answer(api: Api, over: TunedComparison) -> None:
    arms = [f"{over.id}~pull", f"{over.id}~rank"]
    path = f"/comparisons/{over.id}"
    answers: dict[str, Any] = {
        "summary": api.get(f"{path}/summary"),
        "verdict": api.get(f"{path}/verdict"),
        "leaderboard": api.get(f"{path}/leaderboard"),
        "values": api.get("/arms/values", arm=arms, key=[KEY, "dynamics.loss"]),
        "curves": api.get("/arms/curves", arm=arms, key=KEY, seeds=True),
        "arms": api.get("/arms"),
    }
    for table in ("results", "series", "runs", "leaderboard"):
        answers[f"{table}.csv"] = api.http.get(f"/api/v1{path}/export?format=csv&what={table}").text
    for name, answer in answers.items():
        assert str(OF_A_TRIAL) not in str(answer), name
    for name in ("summary", "leaderboard", "values", "curves", "results.csv"):
        assert "0.5" in str(answers[name]), f"{name} has those of the final runs"
    for name in ("summary", "leaderboard"):
        assert (answers[name]["runs_finished"], answers[name]["runs_total"]) == (4, 4)
    assert answers["verdict"]["seeds"] == 2
    assert [one["n"] for one in answers["summary"]["metrics"][0]["arms"]] == [2, 2]
    everything = api.get(f"{path}/export", what="all")
    assert [run["id"] for run in everything["runs"]] == [run.id for run in over.finals]
    assert len(everything["tuning"]["arms"][0]["trials"]) == 3
    assert everything["spec"]["arms"][0]["search"] == {
        "loss.margin": {"low": 0.1, "high": 2.0, "log": False}
    }


def test_arms_and_verdict_have_the_settings_of_the_best_trials(
    api: Api, over: TunedComparison
) -> None:
    """pull's best is the arm as written; rank's has the margin 0.3 and stops after 6 epochs."""
    by_name = {arm["arm"]: arm for arm in api.get("/arms")["arms"]}
    settings = {name: arm["settings"] for name, arm in by_name.items()}
    assert [settings[arm]["loss.margin"] for arm in ("pull", "rank")] == [1.0, 0.3]
    assert [settings[arm]["training.epochs"] for arm in ("pull", "rank")] == [4, 6]
    assert [(arm["seeds"], len(arm["runs"])) for arm in by_name.values()] == [(2, 2)] * 2
    verdict = api.get(f"/comparisons/{over.id}/verdict")
    tuned = {"trials": 3, "objective": KEY, "sampler": "random", "folds": 2}
    assert verdict["tuned"] == tuned
    assert verdict["summary"].startswith(
        "Of nine claims, over 2 seeds on one split, at 3 trials each: "
    )
    assert "the margin: 1 in pull and 0.3 in rank." in verdict["claims"][1]["reason"]
    said = " ".join(verdict["caveats"])
    assert "loss.margin" not in said
    assert "training.epochs" not in said, "which the folds have chosen"
    assert api.get(f"/comparisons/{over.id}/leaderboard")["tuned"] == tuned
    differs = api.get(f"/comparisons/{over.id}/summary")["differs"]
    assert {"setting": "loss.margin", "values": {"pull": 1.0, "rank": 0.3}} in differs


def test_a_search_under_way_has_nothing_to_compare_yet(
    api: Api, under_way: TunedComparison
) -> None:
    path = f"/comparisons/{under_way.id}"
    assert api.get(f"{path}/runs")["runs"] == []
    verdict = api.get(f"{path}/verdict")
    assert verdict["summary"] == (
        "The search is not over: the claims are judged by the final runs that follow it."
    )
    assert {claim["verdict"] for claim in verdict["claims"]} == {"not_measured"}
    assert api.get(f"{path}/summary")["metrics"] == []
    assert api.get(f"{path}/leaderboard")["metrics"] == []
    assert api.get(f"{path}/space")["runs"] == []
    shown = api.get(path)
    assert (shown["state"], shown["phase"]) == ("running", "search")
    assert sum(shown["runs"].values()) == sum(shown["trial_runs"].values()) == 16
    assert shown["trial_runs"]["failed"] == 2
    assert 0 < shown["progress"] < 0.5
    arms = api.get("/arms")["arms"]
    assert [(arm["state"], arm["runs"]) for arm in arms] == [("running", [])] * 2
    assert api.get(f"{path}/size")["runs"] == 16
    [listed] = api.get("/comparisons", state="running")["comparisons"]
    assert listed == {key: value for key, value in shown.items() if key != "spec"}


def test_a_summary_of_a_search_is_not_kept(database: Database) -> None:
    """It would be that of any later moment, as no final run distinguishes them."""
    made = store_tuned(database, {"pull": ["cancelled"]})
    cache = SummaryCache()
    with database.read() as session:
        found = comparisons.get(session, made.id)
        first, second = (cache.summary_json(session, found, None) for _ in range(2))
    assert first == second
    assert first is not second


def test_an_arm_without_a_value_is_told(api: Api, parts: Parts) -> None:
    some = store_tuned(
        parts.database, {"pull": ["complete"], "rank": ["failed"]}, {"pull": DONE}, now=2.0
    )
    said = api.get(f"/comparisons/{some.id}/verdict")["summary"]
    assert said == "rank has no final run: none of its trials has a value."
    none = store_tuned(parts.database, {"pull": ["failed"], "rank": ["failed"]}, now=1.0)
    said = api.get(f"/comparisons/{none.id}/verdict")["summary"]
    assert said == "No trial of any arm has a value, so there are no final runs to judge by."
    states = {(arm["comparison"], arm["arm"]): arm["state"] for arm in api.get("/arms")["arms"]}
    assert states == {
        (some.id, "pull"): "succeeded",
        (some.id, "rank"): "failed",
        (none.id, "pull"): "failed",
        (none.id, "rank"): "failed",
    }
    assert [api.get(f"/comparisons/{one.id}")["state"] for one in (some, none)] == [
        "succeeded",
        "failed",
    ]


def test_figures_are_stored_of_final_runs_only(database: Database) -> None:
    made = store_tuned(database, {"pull": ["complete"]}, {"pull": DONE})
    measure(database, made.runs, 0.5)
    with database.read() as session:
        found = find_without_figures(session, after="", limit=100)
    assert set(found) == {run.id for run in made.finals}
    keeper = FiguresKeeper(database)
    keeper.keep_soon(run.id for run in made.runs)
    while keeper.step():
        pass
    with database.read() as session:
        rows = session.exec(select(RunFigures.run_id)).all()
    assert set(rows) == {run.id for run in made.finals}


def test_a_snapshot_that_a_trial_should_not_have_is_not_shown(database: Database) -> None:
    made = store_tuned(database, {"pull": ["complete"]}, {"pull": DONE})
    kept = Snapshot(epoch=1, step=16, embeddings="a" * 64, facts="b" * 64, samples="c" * 64)
    with database.write() as write:
        for run in made.runs:
            snapshots.put(write, run.id, kept)
    with database.read() as session:
        shown = snapshots.of_comparison(session, made.id)
        assert [row.run for row in shown] == [run.id for run in made.finals]
        assert snapshots.blob_kinds(session, made.id).keys() >= {"a" * 64}


@pytest.mark.both_databases
def test_deleting_leaves_no_trial(
    api: Api, parts: Parts, over: TunedComparison, under_way: TunedComparison
) -> None:
    assert api.http.delete(f"/api/v1/comparisons/{over.id}").status_code == 204
    with parts.database.read() as session:
        left = {trial.comparison_id for trial in session.exec(select(Trial)).all()}
        assert left == {under_way.id}
        assert {run.comparison_id for run in session.exec(select(Run)).all()} == {under_way.id}
        owners = {run.id for run in under_way.runs}
        assert {row.run_id for row in session.exec(select(Series)).all()} <= owners
    for run in over.runs:
        check_error(api.http.get(f"/api/v1/runs/{run.id}"), 404, "not_found")


def test_the_queue_names_trials(api: Api, under_way: TunedComparison) -> None:
    given = api.claim("w2")
    assert given is not None
    found = api.get("/queue")
    [slot] = [one for one in found["workers"] if one["name"] == "w2"]
    assert (slot["role"], slot["trial"], slot["fold"]) == ("trial", 2, 1)
    assert [(row["trial"], row["fold"]) for row in found["waiting"]] == [
        (2, 1),
        (3, 0),
        (3, 1),
        (3, 0),
        (3, 1),
    ]
    assert {row["role"] for row in found["waiting"]} == {"trial"}


def test_trials_are_a_table(api: Api, parts: Parts) -> None:
    space: dict[str, Any] = {"low": 0.1, "high": 2.0}
    arms = [
        {"name": "pull", "loss": {"kind": "contrastive"}, "search": {"loss.margin": space}},
        {
            "name": "rank",
            "loss": {"kind": "triplet"},
            "search": {"loss.distance": {"choices": ["euclidean", "cosine"]}},
        },
    ]
    params: dict[str, list[dict[str, Any]]] = {
        "pull": [{}, {"loss.margin": 0.25}],
        "rank": [{}, {"loss.distance": "cosine"}],
    }
    made = store_tuned(
        parts.database,
        {"pull": ["complete", "failed"], "rank": ["complete", "running"]},
        params=params,
        arms=arms,
    )
    path = f"/api/v1/comparisons/{made.id}/export"
    text = api.http.get(path, params={"format": "csv", "what": "trials"}).text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    names = ("arm", "trial", "state", "value", "epochs", "loss.margin", "loss.distance")
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("pull", "0", "complete", "0.5", "4", "1.0", "euclidean"),
        ("pull", "1", "failed", "", "", "0.25", "euclidean"),
        ("rank", "0", "complete", "0.5", "4", "1.0", "euclidean"),
        ("rank", "1", "running", "", "", "1.0", "cosine"),
    ]
    assert {row["comparison"] for row in rows} == {made.id}
    answer = api.http.get(path, params={"format": "parquet", "what": "trials"})
    assert answer.content[:4] == b"PAR1"
    plain = api.submit()
    none = api.http.get(f"/api/v1/comparisons/{plain}/export?format=csv&what=trials").text
    assert len(none.splitlines()) == 1
    everything = api.get(f"/comparisons/{plain}/export", what="all")
    assert everything["tuning"] is everything["verdict"]["tuned"] is None
    assert everything["leaderboard"]["tuned"] is everything["comparison"]["phase"] is None


def test_points_of_deleted_trials_go_too(api: Api, parts: Parts, over: TunedComparison) -> None:
    with parts.database.read() as session:
        before = {row.id for row in session.exec(select(Series)).all()}
    assert len(before) == 3 * len(over.runs)
    parts.sweeper.stop()
    parts.sweeper.join()
    assert api.http.delete(f"/api/v1/comparisons/{over.id}").status_code == 204
    with parts.database.read() as session:
        assert {row.series_id for row in session.exec(select(Discarded)).all()} == before
