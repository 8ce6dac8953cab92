"""Runs that a slot gets to train together."""

import time
from collections.abc import Sequence
from typing import Any

import pytest

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Run
from backend.ingest import handlers
from backend.runs import queue
from backend.runs import repository as runs
from backend.state import Parts
from backend.workers import claims
from contract.comparison.bundles import MOST_RUNS
from contract.comparison.spec import parse_spec
from contract.events import Event
from contract.tuning.specs import trial_spec
from tests.backend.helpers import Api, Attempt, Json, points_of, run_now, send, submit
from tests.support.broker import Broker
from tests.support.specs import small
from tests.support.tuned import store_tuned
from tests.support.waiting import PATIENCE, until

ARMS = [
    {"name": "pull", "loss": {"kind": "contrastive"}},
    {"name": "rank", "loss": {"kind": "triplet"}},
]


def claim(
    database: Database, most: int = MOST_RUNS, idle_slots: int = 1, device: str = "cpu"
) -> list[Run]:
    with database.write() as write:
        given = claims.claim(
            write, worker="w", device=device, now=1001.0, most=most, idle_slots=idle_slots
        )
    return [one.run for one in given]


def names(given: Sequence[Run]) -> list[tuple[str, int]]:
    return [(run.arm, run.seed) for run in given]


@pytest.mark.both_databases
def test_a_slot_gets_the_first_run_and_those_that_fit_it(database: Database) -> None:
    comparison = submit(database, arms=ARMS, seeds=[0, 1, 2])
    submit(database, arms=ARMS)
    with database.write() as write:
        queue.move_to_front(write, runs.of_comparison(write.session, comparison.id))
    given = claim(database)
    assert names(given) == [("pull", 0), ("pull", 1), ("pull", 2)]
    for run in given:
        stored = run_now(database, run.id)
        assert (stored.state, stored.worker, stored.device) == ("running", "w", "cpu")
        assert (stored.shared, stored.attempt, stored.started_at) == (3, 1, 1001.0)
    assert names(claim(database)) == [("rank", 0), ("rank", 1), ("rank", 2)]
    assert names(claim(database)) == [("pull", 0)]
    [last] = claim(database)
    assert run_now(database, last.id).shared is None
    assert claim(database) == []


def test_arms_that_differ_in_numbers_are_trained_together(database: Database) -> None:
    arms = [
        {"name": f"m{margin}", "loss": {"kind": "contrastive", "margin": margin}}
        for margin in (0.5, 1.0)
    ]
    submit(database, arms=arms, seeds=[0, 1])
    assert names(claim(database)) == [("m0.5", 0), ("m1.0", 0), ("m0.5", 1), ("m1.0", 1)]


def test_what_is_queued_is_shared_among_the_idle_slots(database: Database) -> None:
    submit(database, seeds=list(range(7)))
    assert len(claim(database, idle_slots=3)) == 3
    assert len(claim(database, idle_slots=2)) == 2
    assert len(claim(database, most=1)) == 1
    assert len(claim(database)) == 1
    submit(database, seeds=list(range(40)))
    assert [len(claim(database, most=1000)) for _ in range(2)] == [MOST_RUNS, 40 - MOST_RUNS]


def test_a_run_that_cannot_be_trained_together_comes_alone(database: Database) -> None:
    submit(database, seeds=[0, 1], encoder={"kind": "convnet", "channels": 4})
    assert [len(claim(database)) for _ in range(2)] == [1, 1]
    submit(database, seeds=[0, 1])
    assert [len(claim(database, device="cuda")) for _ in range(2)] == [1, 1]
    comparison = submit(database, seeds=[0, 1])
    with database.write() as write:  # this version cannot read it, and its trainer will say so
        stored = {**comparison.spec, "encoder": {"kind": "of_another_version"}}
        comparisons.get(write.session, comparison.id).spec = stored
    assert [len(claim(database)) for _ in range(2)] == [1, 1]


def test_a_run_that_was_lost_or_moved_is_not_trained_with_others(database: Database) -> None:
    submit(database, seeds=list(range(5)))
    first, second = claim(database, most=2)
    with database.write() as write:
        for run in (first, second):
            lost = runs.get(write.session, run.id)
            runs.lose_attempt(write, lost, reason="killed", strike=True, now=1002.0)
    assert run_now(database, first.id).shared is None
    with database.write() as write:
        queue.move_to_front(write, [runs.get(write.session, first.id)])
    assert names(claim(database)) == [("triplet", 0)]
    assert names(claim(database)) == [("triplet", 1)]
    waiting = claim(database, most=2)
    assert names(waiting) == [("triplet", 2), ("triplet", 3)]


@pytest.mark.parametrize("step", [0, 40])
def test_runs_that_were_given_back_are_trained_together_again(
    database: Database, step: int
) -> None:
    submit(database, seeds=[0, 1, 2, 3])
    given = claim(database, most=3)
    for run in given:
        attempt = Attempt(run.id)
        events: list[Event] = [attempt.started(100), attempt.points([0, 40, 50])]
        if step:
            events.append(attempt.checkpointed(step))
        with database.write() as write:
            handlers.store_events(write, events, now=1002.0)
            lost = runs.get(write.session, run.id)
            runs.lose_attempt(write, lost, reason="stopping", strike=False, now=1003.0)
    again = claim(database)
    others = [] if step else [("triplet", 3)]
    assert names(again) == [*names(given), *others]
    for run in again[:3]:
        stored = run_now(database, run.id)
        assert (stored.state, stored.attempt, stored.committed_seq) == ("running", 2, 0)
        assert (stored.start_after, stored.resumed_at, stored.step) == (step, step, step)
        assert stored.shared == len(again)
        assert points_of(database, run.id)[0] == ([0, 40] if step else [])


def test_only_runs_that_start_after_the_same_step_are_trained_together(database: Database) -> None:
    submit(database, seeds=[0, 1, 2])
    given = claim(database)
    for run, step in zip(given, (40, 40, 60), strict=True):
        with database.write() as write:
            lost = runs.get(write.session, run.id)
            runs.save_checkpoint(write, lost, step=step, digest=run.id)
            runs.lose_attempt(write, lost, reason="stopping", strike=False, now=1003.0)
    assert [len(claim(database)) for _ in range(2)] == [2, 1]


def test_a_search_that_was_cancelled_is_trained_together_when_it_goes_on(
    database: Database,
) -> None:
    made = submit(database, seeds=[0, 1, 2])
    with database.write() as write:
        runs.cancel_all(write, made.id, now=1002.0)
        runs.retry_all(write, made.id)
    assert len(claim(database)) == 3


@pytest.mark.both_databases
def test_trials_of_one_fold_come_together_each_with_its_settings(parts: Parts, api: Api) -> None:
    settings: list[Json] = [{}, {"loss.margin": 0.3}, {"loss.margin": 0.4}]
    made = store_tuned(
        parts.database,
        {"pull": ["waiting"] * 3, "rank": ["waiting"] * 3},
        params=dict.fromkeys(("pull", "rank"), settings),
    )
    given = ask(api, most=MOST_RUNS)
    assert [one["arm"] for one in given] == ["pull"] * 3
    folds = {run_now(parts.database, one["run"]).fold for one in given}
    assert folds == {0}
    for one, params in zip(given, settings, strict=True):
        expected = trial_spec(made.spec, "pull", params, 0)
        assert one["spec"] == expected.model_dump(mode="json")


def test_choices_split_what_is_trained_together(database: Database) -> None:
    path = "training.sampler.m"
    space = {path: {"choices": [8, 16]}, "loss.margin": {"low": 0.1, "high": 2.0}}
    arms = [{"name": "pull", "loss": {"kind": "contrastive"}, "search": space}]
    training = {"epochs": 1, "batch_size": 64, "sampler": {"kind": "m_per_class", "m": 8}}
    params: list[Json] = [
        {path: 8 + 8 * (number % 2), "loss.margin": 0.5 + number / 10} for number in range(6)
    ]
    made = store_tuned(
        database,
        {"pull": ["waiting"] * 6},
        params={"pull": params},
        arms=arms,
        training=training,
        tuning={"folds": 1},
    )
    numbers = [[run.trial_number for run in claim(database)] for _ in range(2)]
    assert numbers == [[0, 2, 4], [1, 3, 5]]
    assert len(made.runs) == 6


def test_one_whose_settings_do_not_fit_holds_up_no_other(database: Database) -> None:
    settings: list[Json] = [{}, {"loss.margin": "wide"}, {"loss.margin": 0.4}]
    made = store_tuned(
        database, {"pull": ["waiting"] * 3}, params={"pull": settings}, tuning={"folds": 1}
    )
    assert [run.trial_number for run in claim(database)] == [0, 2]
    assert claim(database) == []
    assert run_now(database, made.runs[1].id).state == "failed"


def ask(api: Api, worker: str = "w", **changes: Any) -> list[Json]:
    """Claim over HTTP; return all that the slot got."""
    body = {"worker": worker, "device": "cpu", "host": "here", "pid": 7, **changes}
    answer = api.internal("/claim", body)
    assert answer.status_code in {200, 204}, answer.text
    if answer.status_code == 204:
        return []
    first = answer.json()
    return [first, *first.pop("others")]


def beat(api: Api, given: Sequence[Json], worker: str = "w") -> list[Json]:
    body = {
        "worker": worker,
        "runs": [{"run": one["run"], "attempt": one["attempt"]} for one in given],
    }
    answer = api.internal("/heartbeats", body)
    assert answer.status_code == 200, answer.text
    found: list[Json] = answer.json()["answers"]
    return found


def test_an_old_worker_still_gets_one_run(api: Api) -> None:
    api.submit(seeds=[0, 1])
    given = api.claim()
    assert given is not None
    assert given.pop("others") == []
    assert set(given) == {
        *("run", "attempt", "start_after", "checkpoint", "lease_s"),
        *("comparison", "arm", "seed", "spec", "keep", "loss_digest"),
    }
    assert api.get(f"/runs/{given['run']}")["shared"] is None


def test_idle_slots_of_the_device_class_leave_runs_for_one_another(api: Api) -> None:
    api.submit(seeds=list(range(6)))
    for name, device in (("a", "cpu"), ("b", "cpu"), ("g", "cuda")):
        body = {"device": device, "host": "here", "pid": 7}
        assert api.internal(f"/workers/{name}/seen", body).status_code == 204
    assert [len(ask(api, name, most=24)) for name in "ab"] == [3, 3]


def test_one_heartbeat_renews_all_and_answers_for_each(api: Api, parts: Parts) -> None:
    comparison = api.submit(seeds=[0, 1, 2, 3])
    given = ask(api, most=24)
    assert len(given) == 4
    before = {lease.run for lease in parts.leases.lapsed()}
    assert before == set()
    api.post(f"/runs/{given[1]['run']}/cancel")
    with parts.database.write() as write:
        gone = runs.get(write.session, given[2]["run"])
        write.session.delete(gone)
    stale = {**given[3], "attempt": 9}
    answers = beat(api, [given[0], given[1], given[2], stale])
    assert [one["current"] for one in answers] == [True, True, False, False]
    assert [one["cancel"] for one in answers] == [False, True, True, False]
    [slot] = api.get("/queue")["workers"]
    assert slot["runs"] == [given[0]["run"], given[1]["run"]]
    assert (slot["run"], slot["comparison"]) == (given[0]["run"], comparison)
    refused = api.internal("/heartbeats", {"worker": "w", "runs": []})
    assert refused.status_code == 422


def test_a_bundle_is_one_slot_to_fair_share_and_to_the_queue(
    api: Api, parts: Parts, broker: Broker
) -> None:
    def by(user: str, seeds: int) -> None:
        made = api.http.post(
            "/api/v1/comparisons",
            json=small(name=user, seeds=list(range(seeds))),
            headers={"X-Lossboard-User": user},
        )
        assert made.status_code == 201

    by("a", 4)
    given = ask(api, "w1", most=24)
    assert len(given) == 4
    by("b", 2)
    [alone] = ask(api, "w2")
    by("c", 1)
    with parts.database.read() as session:
        turns = queue.turns(session)
    assert turns.first({"a": 1.0, "b": 2.0}) == "a"  # each has a slot, and a had its turn first
    assert turns.first({"a": 1.0, "b": 2.0, "c": 3.0}) == "c"
    for one in given[:2]:
        attempt = Attempt(one["run"])
        send(broker.client, attempt.started(100), attempt.points([50]))
    until(lambda: api.get(f"/runs/{given[1]['run']}")["step"] == 50, "its steps")
    slot = next(one for one in api.get("/queue")["workers"] if one["name"] == "w1")
    assert slot["runs"] == [one["run"] for one in given]
    assert slot["progress"] == 0.25
    assert slot["eta_s"] > 0
    assert api.get(f"/runs/{given[0]['run']}")["shared"] == 4
    assert api.get(f"/runs/{alone['run']}")["shared"] is None


def test_runs_that_shared_a_slot_count_with_their_share_of_its_time(parts: Parts, api: Api) -> None:
    """Twelve runs in 12 s together: another twelve take 12 s too, not 144."""
    api.submit(seeds=list(range(24)))
    given = ask(api, "w1", most=12)
    assert len(given) == 12
    with parts.database.write() as write:
        for one in given:
            run = runs.get(write.session, one["run"])
            run.started_at, run.step, run.total_steps = 1000.0, 100, 100
            runs.end(write, run, state="succeeded", failure=None, now=1012.0)
    assert api.get("/queue")["eta_s"] == pytest.approx(12.0)
    detail = api.get("/comparisons")["comparisons"][0]
    assert detail["eta_s"] == pytest.approx(12.0)


def test_a_claim_among_two_thousand_runs_is_quick(parts: Parts) -> None:
    spec = parse_spec(small(arms=ARMS, seeds=list(range(100))))
    with parts.database.write() as write:
        for number in range(10):
            raw = spec.model_dump(mode="json")
            comparisons.create(write, spec=spec, raw=raw, now=1000.0 + number)
    claim(parts.database)
    begun = time.perf_counter()
    given = claim(parts.database)
    assert len(given) == MOST_RUNS
    assert time.perf_counter() - begun < 0.5 * PATIENCE
