"""Live streams of a comparison that is tuned: of its final runs, or of one run alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from backend.db.database import Database
from backend.db.models import Run
from backend.state import Parts
from tests.backend.helpers import Api, Attempt, Json, Sse, check_error, claim, run_now, send
from tests.support.broker import Broker
from tests.support.tuned import TunedComparison, store_tuned


@pytest.fixture
def made(parts: Parts) -> TunedComparison:
    """A comparison with one trial that runs and one final run that runs, if that could be."""
    return store_tuned(
        parts.database,
        {"pull": ["complete", "waiting"]},
        {"pull": ["queued"]},
        seeds=[0],
        tuning={"folds": 1},
    )


@pytest.fixture
def running(parts: Parts, made: TunedComparison) -> tuple[Run, Run]:
    """The run of the trial, and the final one."""
    _claim_all(parts.database)
    trial = run_now(parts.database, made.trial_runs[1].id)
    final = run_now(parts.database, made.finals[0].id)
    assert (trial.state, final.state) == ("running", "running")
    return trial, final


def _claim_all(database: Database) -> None:
    while claim(database):
        pass


def follow(api: Api, comparison: str, **asked: str) -> Any:
    path = f"/api/v1/comparisons/{comparison}/live"
    return api.http.stream("GET", path, params=asked)


def runs_until_the_end(events: Iterator[tuple[str, Json]], run: str) -> tuple[Json, set[str]]:
    """Return the first event, and the runs of all others until the end of a run."""
    first = next(events)
    assert first[0] == "reset"
    seen: set[str] = set()
    for name, data in events:
        if name == "points":
            seen |= {column["run"] for column in data["series"]}
        if name == "runs":
            seen |= {row["id"] for row in data["runs"]}
            if any(row["id"] == run and row["state"] == "succeeded" for row in data["runs"]):
                break
    return first[1], seen


@pytest.mark.parametrize("asked", ["", "trial", "final"])
def test_viewers_get_final_runs_or_the_one_that_they_ask_for(
    api: Api, broker: Broker, made: TunedComparison, running: tuple[Run, Run], asked: str
) -> None:
    trial, final = running
    followed = trial if asked == "trial" else final
    with follow(api, made.id, **({"run": followed.id} if asked else {})) as response:
        assert response.status_code == 200
        events = iter(Sse(response))
        attempts = [Attempt(run.id) for run in (trial, final)]
        for attempt in attempts:
            send(broker.client, attempt.started(), attempt.points([1, 2]))
        # The end of the one that is followed comes last, so it would follow what does not belong.
        for attempt in sorted(attempts, key=lambda one: one.run == followed.id):
            send(broker.client, attempt.ended())
        reset, seen = runs_until_the_end(events, followed.id)
    assert seen == {followed.id}
    assert [run["id"] for run in reset["runs"]] == [followed.id]
    assert {column["run"] for column in reset["series"]} <= {followed.id}
    assert reset["comparison"]["phase"] == "final"


def test_a_final_run_is_followed_without_the_others(api: Api, parts: Parts, broker: Broker) -> None:
    comparison = api.submit(seeds=[0, 1])
    _claim_all(parts.database)
    first, second = (run["id"] for run in api.get(f"/comparisons/{comparison}/runs")["runs"])
    with follow(api, comparison, run=second) as response:
        events = iter(Sse(response))
        for run in (first, second):
            attempt = Attempt(run)
            send(broker.client, attempt.started(), attempt.points([1]), attempt.ended())
        _, seen = runs_until_the_end(events, second)
    assert seen == {second}


def test_who_follows_a_trial_learns_that_its_comparison_is_gone(
    api: Api, made: TunedComparison, running: tuple[Run, Run]
) -> None:
    trial, _ = running
    with follow(api, made.id, run=trial.id) as response:
        events = iter(Sse(response))
        assert next(events)[0] == "reset"
        assert api.http.delete(f"/api/v1/comparisons/{made.id}").status_code == 204
        assert next(events) == ("gone", {})


def test_a_run_of_another_comparison_is_refused(api: Api, made: TunedComparison) -> None:
    other = api.submit()
    [run] = api.get(f"/comparisons/{other}/runs")["runs"]
    for asked in (run["id"], "r0"):
        answer = api.http.get(f"/api/v1/comparisons/{made.id}/live", params={"run": asked})
        check_error(answer, 404, "not_found")
