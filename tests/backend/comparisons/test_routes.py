"""Comparisons over HTTP: submit, claim, cancel, retry, delete, restart."""

import functools
import time
from dataclasses import replace

import pytest

from backend.db.models import Comparison
from backend.settings import Settings
from backend.state import Parts
from contract.catalogue.datasets import DATA
from contract.names import wake_queue
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, Attempt, check_error, send
from tests.support.broker import Broker
from tests.support.specs import small
from tests.support.waiting import until


def runs_of(api: Api, comparison: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = api.get(f"/comparisons/{comparison}/runs")["runs"]
    return found


def have_finished(api: Api, comparison: str, runs: int) -> bool:
    return bool(api.get(f"/comparisons/{comparison}")["runs"]["succeeded"] == runs)


@pytest.mark.both_databases
def test_submit_list_read_change_delete(api: Api) -> None:
    one = api.submit(name="first 50%", tags=["a", "b"])
    two = api.submit(name="second", notes="about margins", seeds=[0, 1])
    listed = api.get("/comparisons")
    assert [row["id"] for row in listed["comparisons"]] == [two, one]
    assert listed["total"] == 2
    assert "spec" not in listed["comparisons"][0]
    assert listed["comparisons"][0]["runs"]["queued"] == 2
    assert listed["comparisons"][0]["seeds"] == [0, 1]

    def ids(**query: object) -> list[str]:
        return [row["id"] for row in api.get("/comparisons", **query)["comparisons"]]

    assert ids(q="MARGIN") == [two]
    assert ids(q="50%") == [one]
    assert ids(q="first a") == [one]  # every word, in name, notes or tags
    assert ids(tag="b") == [one]
    assert ids(state="queued") == [two, one]
    assert ids(state="running") == []
    assert ids(page=2, page_size=1) == [one]

    patch = {"name": "renamed", "tags": ["c"], "notes": "n"}
    changed = api.http.patch(f"/api/v1/comparisons/{one}", json=patch).json()
    assert {key: changed[key] for key in patch} == patch
    assert ids(tag="b") == []
    assert ids(tag="c") == [one]
    assert changed["spec"]["name"] == "first 50%"  # the spec of the runs does not change
    assert changed["spec"]["training"]["optimizer"]["lr"] == 0.001

    assert api.http.delete(f"/api/v1/comparisons/{one}").status_code == 204
    assert ids() == [two]


def test_names_and_tags_are_one_line_each(api: Api, parts: Parts) -> None:
    spec = small(name="two\nlines", tags=["a", "b\tc"])
    spec["arms"] = [{**spec["arms"][0], "name": "one\u2028two"}]
    body = check_error(api.http.post("/api/v1/comparisons", json=spec), 422, "invalid_spec")
    problems = {field["path"]: field["message"] for field in body["fields"]}
    assert set(problems) == {"name", "tags[1]", "arms[0].name"}
    assert all("line break or another control" in problem for problem in problems.values())
    spec |= {"seeds": []}
    body = check_error(api.http.post("/api/v1/comparisons", json=spec), 422, "invalid_spec")
    assert len(body["fields"]) == 4, "with all other problems"
    one = api.submit(name=" spaces and a line break around it \n", notes="lines\nin\nnotes")
    assert api.get(f"/comparisons/{one}")["name"] == "spaces and a line break around it"
    for patch in ({"name": "two\nlines"}, {"tags": ["two\nlines"]}):
        answer = api.http.patch(f"/api/v1/comparisons/{one}", json=patch)
        check_error(answer, 422, "invalid_request")
    with parts.database.write() as write:  # stored by an older version
        old = write.session.get_one(Comparison, one)
        old.spec = {**old.spec, "name": "two\nlines", "tags": ["b\tc"]}
        write.session.add(old)
    more = api.http.post(f"/api/v1/comparisons/{one}/seeds", json={"seeds": [7]})
    assert more.status_code == 200, more.text


def test_arms_that_can_never_train_are_refused_and_stored_ones_go_on(
    api: Api, parts: Parts
) -> None:
    never = {"batch_size": 2}
    spec = small(training=never, seeds=[])
    body = check_error(api.http.post("/api/v1/comparisons", json=spec), 422, "invalid_spec")
    assert {field["path"] for field in body["fields"]} == {"training.batch_size", "seeds"}
    one = api.submit()
    with parts.database.write() as write:  # stored by an older version
        old = write.session.get_one(Comparison, one)
        old.spec = {**old.spec, "training": {**old.spec["training"], **never}}
        write.session.add(old)
    run = api.get(f"/comparisons/{one}/runs")["runs"][0]["id"]
    for path, sent in (
        (f"/comparisons/{one}/seeds", {"seeds": [7]}),
        (f"/runs/{run}/cancel", None),
        (f"/runs/{run}/retry", None),
    ):
        answer = api.http.post(f"/api/v1{path}", json=sent)
        assert answer.status_code == 200, answer.text
    claimed = api.claim("worker")
    assert claimed is not None
    assert claimed["spec"]["training"]["batch_size"] == 2


def test_the_catalogue(api: Api) -> None:
    found = api.get("/catalogue")
    assert {row["kind"] for row in found["data"]} >= {"digits", "mnist", "features"}
    assert len(found["data"]) == len(DATA)


def test_one_message_delivered_three_times_trains_once(api: Api, broker: Broker) -> None:
    comparison = api.submit()
    until(lambda: broker.client.llen(wake_queue("cpu")), "a wake-up")
    first, second, third = (api.claim(name) for name in ("a", "b", "c"))
    assert first is not None
    assert (second, third) == (None, None)
    assert first["comparison"] == comparison
    assert (first["attempt"], first["start_after"], first["lease_s"]) == (1, 0, 10)
    assert first["spec"]["arms"][0]["name"] == first["arm"] == "triplet"
    states = [worker["state"] for worker in api.get("/workers")["workers"]]
    assert states == ["busy", "idle", "idle"]
    assert api.get(f"/comparisons/{comparison}")["state"] == "running"


@pytest.mark.both_databases
def test_from_claim_to_summary(api: Api, broker: Broker) -> None:
    comparison = api.submit(seeds=[0, 1, 2])
    run = ""
    for finished, value in enumerate((0.5, 0.7, 0.6), start=1):
        claim = api.claim()
        assert claim is not None
        run = str(claim["run"])
        attempt = Attempt(run)
        send(
            broker.client,
            attempt.started(),
            attempt.points([0, 10], [0.1, value], key="retrieval.map_at_r"),
            attempt.points(list(range(20)), key="dynamics.loss"),
            attempt.log("hello"),
            attempt.ended(),
        )
        until(functools.partial(have_finished, api, comparison, finished), "the run to end")
    assert api.get(f"/runs/{run}/log")["lines"] == ["hello"]
    done = api.get(f"/comparisons/{comparison}")
    assert (done["state"], done["progress"], done["eta_s"]) == ("succeeded", 1.0, None)
    found = api.get(f"/comparisons/{comparison}/summary")
    assert (found["runs_finished"], found["runs_total"]) == (3, 3)
    loss, retrieval = found["metrics"]
    assert (loss["key"], retrieval["key"]) == ("dynamics.loss", "retrieval.map_at_r")
    assert loss["arms"][0]["mean"] == 14.5  # of steps 10 to 19, the last epoch
    [arm] = retrieval["arms"]
    assert [v["value"] for v in arm["values"]] == [0.5, 0.7, 0.6]
    assert (arm["n"], round(arm["mean"], 6), round(arm["sd"], 6)) == (3, 0.6, 0.1)
    assert round(arm["high"] - arm["mean"], 4) == 0.2484  # t(0.975, 2) = 4.3027, times sd / sqrt 3
    assert retrieval["better"] == "higher"


@pytest.mark.both_databases
def test_cancel_queued_and_running(api: Api, broker: Broker) -> None:
    comparison = api.submit(seeds=[0, 1])
    claim = api.claim()
    assert claim is not None
    assert api.heartbeat(claim["run"]) == {
        "current": True,
        "state": "running",
        "cancel": False,
        "committed_seq": 0,
    }
    assert api.post(f"/comparisons/{comparison}/cancel")["runs"]["cancelled"] == 1
    assert api.claim() is None
    assert api.heartbeat(claim["run"])["cancel"] is True
    attempt = Attempt(claim["run"])
    send(broker.client, attempt.points([0]), attempt.ended("cancelled"))
    until(lambda: api.get(f"/comparisons/{comparison}")["state"] == "cancelled", "the end")
    assert api.heartbeat(claim["run"])["committed_seq"] == 2
    assert api.get("/series", run=claim["run"])["series"][0]["steps"] == [0]  # kept

    again = api.post(f"/comparisons/{comparison}/retry")
    assert again["runs"]["queued"] == 2
    second = api.claim()
    assert second is not None
    assert second["attempt"] == 2
    assert api.heartbeat(second["run"], attempt=1)["current"] is False
    assert api.post(f"/runs/{second['run']}/cancel")["state"] == "running"


def test_delete_while_running_stops_the_worker(api: Api) -> None:
    comparison = api.submit()
    claim = api.claim()
    assert claim is not None
    assert api.http.delete(f"/api/v1/comparisons/{comparison}").status_code == 204
    answer = api.heartbeat(claim["run"])
    assert (answer["current"], answer["cancel"]) == (False, True)


def test_submit_while_the_broker_is_down(api: Api, broker: Broker) -> None:
    broker.kill()
    comparison = api.submit()
    assert len(runs_of(api, comparison)) == 1
    ready = api.http.get("/api/v1/health/ready")
    assert (ready.status_code, ready.json()["broker"]) == (503, "unavailable")
    broker.start()
    until(lambda: broker.client.llen(wake_queue("cpu")), "the wake-up sent later", timeout=15)
    assert api.get("/health/ready")["collector_lag"] == 0


def test_a_lapsed_lease_queues_the_next_attempt(
    serve: Serve, settings: Settings, broker: Broker
) -> None:
    with serve(replace(settings, lease_s=0.5)) as (api, _):
        api.submit()
        claim = api.claim()
        assert claim is not None
        attempt = Attempt(claim["run"])
        send(broker.client, attempt.started(), attempt.points([0, 1, 2]))
        path = f"/runs/{claim['run']}"
        until(lambda: api.get(path)["state"] == "queued", "the lease to lapse", timeout=20)
        again = api.claim()
        assert again is not None
        assert (again["run"], again["attempt"]) == (claim["run"], 2)
        assert api.get("/series", run=claim["run"]) == {"series": []}
        send(broker.client, attempt.points([3]))
        new = Attempt(claim["run"], 2)
        send(broker.client, new.started(), new.points([0]), new.ended())
        until(lambda: api.get(path)["state"] == "succeeded", "the second attempt", timeout=20)
        assert api.get("/series", run=claim["run"])["series"][0]["steps"] == [0]


def test_after_a_restart_a_running_run_gets_a_whole_lease(serve: Serve, settings: Settings) -> None:
    with serve(settings) as (api, _):
        comparison = api.submit()
        claim = api.claim()
        assert claim is not None
    with serve(settings) as (api, parts):
        began = time.monotonic()
        parts.sweeper.sweep()
        assert runs_of(api, comparison)[0]["state"] == "running"
        assert parts.leases.lapsed() == []
        lease = parts.leases._leases[claim["run"]]
        assert began - 30 < lease.deadline - settings.lease_s <= began
        assert not lease.strike
        assert api.heartbeat(claim["run"])["current"] is True  # and its worker may go on
        assert parts.leases._leases[claim["run"]].strike
        [worker] = api.get("/workers")["workers"]
        assert (worker["state"], worker["run"]) == ("busy", claim["run"])


def test_idle_workers_are_listed(api: Api, parts: Parts) -> None:
    slot = {"device": "cuda", "host": "far", "pid": 1}
    assert api.internal("/workers/g0/seen", slot).status_code == 204
    [worker] = api.get("/workers")["workers"]
    assert (worker["name"], worker["device"], worker["state"]) == ("g0", "cuda", "idle")
    assert parts.workers.alive() == {"cuda": 1}
