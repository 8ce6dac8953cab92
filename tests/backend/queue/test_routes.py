"""The queue over HTTP: slots and their runs, the order of what waits, moving to the front."""

from typing import Any

import pytest
from sqlmodel import col, select

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Run
from backend.runs import queue
from backend.runs import repository as runs
from backend.state import Parts
from contract.comparison.spec import parse_spec
from tests.backend.helpers import Api, Attempt, claim, send, submit
from tests.support.broker import Broker
from tests.support.specs import small
from tests.support.waiting import until


def order(api: Api, **params: Any) -> list[tuple[str, int]]:
    return [(one["comparison_name"], one["seed"]) for one in api.get("/queue", **params)["waiting"]]


def run_of(api: Api, comparison: str, seed: int) -> str:
    found = api.get(f"/comparisons/{comparison}/runs")["runs"]
    return next(str(run["id"]) for run in found if run["seed"] == seed)


def seen(api: Api, name: str) -> None:
    body = {"device": "cpu", "host": "here", "pid": 7}
    assert api.internal(f"/workers/{name}/seen", body).status_code == 204


def test_an_empty_queue_without_workers(api: Api) -> None:
    found = api.get("/queue")
    assert (found["workers"], found["waiting"], found["waiting_total"]) == ([], [], 0)
    assert (found["devices"], found["eta_s"], found["running_total"]) == ({}, None, 0)


def test_queued_runs_are_listed_in_the_order_in_which_they_are_claimed(api: Api) -> None:
    first = api.submit(name="first", seeds=[0, 1])
    api.submit(name="second", seeds=[0])
    found = api.get("/queue")
    assert [one["position"] for one in found["waiting"]] == [1, 2, 3]
    assert order(api) == [("first", 0), ("first", 1), ("second", 0)]
    row = found["waiting"][0]
    assert row["comparison"] == first
    assert (row["arm"], row["created_by"], row["priority"]) == ("triplet", "local", 0)
    assert row["since"] == api.get(f"/comparisons/{first}")["created_at"]
    for one in found["waiting"]:
        given = api.claim()
        assert given is not None
        assert given["run"] == one["run"]


def test_the_queue_is_read_page_by_page(api: Api) -> None:
    api.submit(seeds=list(range(5)))
    assert [seed for _, seed in order(api, page_size=2)] == [0, 1]
    last = api.get("/queue", page_size=2, page=3)
    assert [(one["seed"], one["position"]) for one in last["waiting"]] == [(4, 5)]
    assert last["waiting_total"] == 5
    assert order(api, page=9) == []
    assert api.http.get("/api/v1/queue", params={"page_size": 201}).status_code == 422


@pytest.mark.both_databases
def test_workers_are_listed_with_their_runs(api: Api, broker: Broker) -> None:
    own = api.submit(seeds=[3, 4])
    seen(api, "idle")
    given = api.claim("busy")
    assert given is not None
    send(broker.client, Attempt(given["run"]).started(100), *_points(given["run"], 25))
    until(lambda: api.get(f"/runs/{given['run']}")["step"] == 25, "its steps")
    found = api.get("/queue")
    busy, idle = found["workers"]
    assert (busy["name"], busy["state"], busy["run"]) == ("busy", "busy", given["run"])
    assert (busy["comparison"], busy["comparison_name"]) == (own, "small")
    assert (busy["arm"], busy["seed"], busy["created_by"]) == ("triplet", 3, "local")
    assert busy["progress"] == 0.25
    assert busy["eta_s"] > 0
    assert (idle["name"], idle["run"], idle["comparison"]) == ("idle", None, None)
    assert found["devices"] == {"cpu": 2}
    assert (found["running_total"], found["waiting_total"]) == (1, 1)
    assert found["eta_s"] > 0


def _points(run: str, step: int) -> list[Any]:
    attempt = Attempt(run)
    attempt.seq = 1
    return [attempt.points([step])]


def test_a_worker_whose_run_is_over_or_deleted_is_listed_without_it(api: Api) -> None:
    over, gone = api.submit(), api.submit()
    for worker in ("over", "gone"):
        api.claim(worker)
    for comparison in (over, gone):
        api.post(f"/comparisons/{comparison}/cancel")
    assert [one["comparison"] for one in api.get("/queue")["workers"]] == [gone, over]
    api.http.delete(f"/api/v1/comparisons/{gone}")
    workers = api.get("/queue")["workers"]
    assert [(one["name"], one["comparison"]) for one in workers] == [("gone", None), ("over", over)]


def test_runs_of_a_comparison_move_to_the_front_in_their_order(api: Api) -> None:
    api.submit(name="a", seeds=[0, 1])
    own = api.submit(name="b", seeds=[0, 1])
    api.submit(name="c", seeds=[0])
    assert api.post(f"/comparisons/{own}/front")["id"] == own
    assert order(api) == [("b", 0), ("b", 1), ("a", 0), ("a", 1), ("c", 0)]
    given = api.claim()
    assert given is not None
    assert (given["comparison"], given["seed"]) == (own, 0)


@pytest.mark.both_databases
def test_a_run_moved_later_is_before_those_moved_earlier(api: Api) -> None:
    a, b, c = (api.submit(name=name, seeds=[0, 1]) for name in "abc")
    api.post(f"/comparisons/{b}/front")
    api.post(f"/runs/{run_of(api, c, 1)}/front")
    api.post(f"/comparisons/{a}/front")
    expected = [("a", 0), ("a", 1), ("c", 1), ("b", 0), ("b", 1), ("c", 0)]
    assert order(api) == expected
    for _ in range(3):  # again and again changes nothing, nor does any number grow
        api.post(f"/comparisons/{a}/front")
    assert order(api) == expected
    assert max(one["priority"] for one in api.get("/queue")["waiting"]) == 3


def test_more_seeds_of_a_moved_comparison_are_not_moved(api: Api) -> None:
    api.submit(name="a")
    own = api.submit(name="b")
    api.post(f"/comparisons/{own}/front")
    api.http.post(f"/api/v1/comparisons/{own}/seeds", json={"seeds": [1]})
    assert order(api) == [("b", 0), ("a", 0), ("b", 1)]


def test_only_queued_runs_can_be_moved(api: Api) -> None:
    own = api.submit()
    given = api.claim()
    assert given is not None
    for path in (f"/runs/{given['run']}/front", f"/comparisons/{own}/front"):
        refused = api.post(path, status=409)
        assert refused["error"] == "conflict"
        assert "wait" in refused["message"]
    api.post("/runs/r0000000000/front", status=404)
    api.post("/comparisons/c0000000000/front", status=404)


def test_the_next_attempt_of_a_run_keeps_its_place(database: Database) -> None:
    submit(database, name="a")
    moved = submit(database, name="b")
    with database.write() as write:
        queue.move_to_front(write, runs.of_comparison(write.session, moved.id))
    run = claim(database)
    assert run is not None
    assert run.comparison_id == moved.id
    with database.write() as write:
        runs.lose_attempt(
            write, runs.get(write.session, run.id), reason="died", strike=True, now=1002.0
        )
    again = claim(database)
    assert again is not None
    assert again.id == run.id


def test_pages_of_a_long_queue_and_a_move_from_its_end(parts: Parts, api: Api) -> None:
    spec = parse_spec(small(seeds=list(range(100))))
    with parts.database.write() as write:
        for number in range(6):
            raw = spec.model_dump(mode="json")
            comparisons.create(write, spec=spec, raw=raw, now=1000.0 + number)
    seen(api, "w0")
    found = api.get("/queue")
    assert (len(found["waiting"]), found["waiting_total"]) == (200, 600)
    last = api.get("/queue", page=3)["waiting"]
    assert last[-1]["position"] == 600
    api.post(f"/comparisons/{last[-1]['comparison']}/front")
    assert api.get("/queue")["waiting"][0]["comparison"] == last[-1]["comparison"]
    with parts.database.read() as session:
        moved = session.exec(select(Run.id).where(col(Run.priority) > 0)).all()
    assert len(moved) == 100


def test_the_waiting_runs_of_one_comparison_have_their_places_in_the_whole_queue(api: Api) -> None:
    api.submit(name="first", seeds=[0, 1, 2])
    own = api.submit(name="own", seeds=[7, 8])
    found = api.get("/queue", comparison=own)
    assert [(one["position"], one["seed"]) for one in found["waiting"]] == [(4, 7), (5, 8)]
    assert (found["waiting_total"], found["page_size"]) == (2, 200)
    assert api.get("/queue", comparison=own, page=2, page_size=1)["waiting"][0]["position"] == 5
    assert api.get("/queue", comparison="c0")["waiting"] == []
