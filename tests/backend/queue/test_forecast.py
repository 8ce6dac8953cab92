"""Fair share in the database and over HTTP, and the forecast of the queue."""

import threading

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import update

from backend.comparisons import repository as comparisons
from backend.db.database import Database
from backend.db.models import Run, Trial
from backend.queue.forecast import Forecast, forecast
from backend.runs import queue
from backend.runs import repository as runs
from backend.state import Parts
from backend.workers.registry import WorkerOut
from contract.comparison.spec import parse_spec
from tests.backend.helpers import Api, Attempt, Json, claim, run_now, send, submit
from tests.support.broker import Broker
from tests.support.specs import small
from tests.support.tuned import store_tuned
from tests.support.waiting import until


def submit_by(
    database: Database, user: str, count: int, *, now: float, device: str = "auto"
) -> None:
    """Queue runs of a user; at most 100 a comparison."""
    training = {"epochs": 1, "batch_size": 64, "device": device}
    for first in range(0, count, 100):
        spec = parse_spec(small(seeds=list(range(min(100, count - first))), training=training))
        with database.write() as write:
            raw = spec.model_dump(mode="json")
            comparisons.create(write, spec=spec, raw=raw, now=now + first, user=user)


def end(database: Database, run: Run) -> None:
    """End a run as succeeded."""
    with database.write() as write:
        found = runs.get(write.session, run.id)
        runs.end(write, found, state="succeeded", failure=None, now=1.0)


def test_a_sweep_does_not_starve_others(database: Database) -> None:
    """One user's 500 runs are queued before another's 2, on one slot and on two."""
    submit_by(database, "sweep", 500, now=10.0)
    first = claim(database, "w1")
    assert first is not None
    submit_by(database, "other", 2, now=5000.0)
    served = [first.created_by]
    for _ in range(3):
        end(database, first)
        first = claim(database, "w1")
        assert first is not None
        served.append(first.created_by)
    assert served == ["sweep", "other", "sweep", "other"]
    second = claim(database, "w2")
    assert second is not None
    assert second.created_by == "sweep"
    submit_by(database, "other", 2, now=6000.0)
    end(database, second)
    again = claim(database, "w2")
    assert again is not None
    assert again.created_by == "sweep"  # each has one of the two slots
    end(database, first)
    third = claim(database, "w1")
    assert third is not None
    assert third.created_by == "other"


def test_a_run_waits_for_its_device(database: Database) -> None:
    """A CPU slot takes no run that wants a GPU."""
    submit_by(database, "a", 1, now=1.0, device="cuda")
    assert claim(database) is None
    submit_by(database, "a", 1, now=2.0, device="cpu")
    taken = claim(database)
    assert taken is not None
    assert taken.wants == "cpu"
    with database.write() as write:
        assert runs.count_queued(write.session, "cpu") == 0
        on_gpu = runs.claim(write, worker="g", device="cuda", now=3.0)
        assert on_gpu is not None
        assert on_gpu.wants == "cuda"


def _slots_never_get_the_same_run(database: Database, *others: Database) -> None:
    """Slots claim all at once until nothing is left; each run is claimed once."""
    submit_by(database, "a", 40, now=1.0)
    submit_by(database, "b", 20, now=2.0)
    taken: list[str] = []
    begin = threading.Barrier(2 * (1 + len(others)))

    def slot(own: Database, name: str) -> None:
        begin.wait(60)
        misses = 0
        while misses < 20:
            try:
                run = claim(own, name)
            except OperationalError:
                continue  # another process wrote first; a worker asks again too
            if run is None:
                misses += 1
            else:
                taken.append(run.id)

    threads = [
        threading.Thread(target=slot, args=(own, f"w{at}{n}"))
        for at, own in enumerate((database, *others))
        for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(taken) == 60
    assert len(set(taken)) == 60


def test_slots_never_get_the_same_run(database: Database) -> None:
    _slots_never_get_the_same_run(database)


def test_slots_of_two_processes_never_get_the_same_run(database: Database) -> None:
    other = Database(database.engine.url.render_as_string(hide_password=False))
    _slots_never_get_the_same_run(database, other)
    other.close()


def test_a_run_moved_to_the_front_is_claimed_before_the_user_whose_turn_is_next(
    database: Database,
) -> None:
    submit_by(database, "a", 3, now=1.0)
    assert claim(database) is not None
    submit_by(database, "b", 1, now=2.0)
    with database.write() as write:
        found = [run for run in runs.in_state(write.session, "queued") if run.created_by == "a"]
        queue.move_to_front(write, found[:1])
    moved = claim(database)
    assert moved is not None
    assert moved.id == found[0].id


def test_more_seeds_belong_to_the_user_who_submitted_the_comparison(api: Api, parts: Parts) -> None:
    headers = {"X-Lossboard-User": "Ada"}
    spec = small(training={"epochs": 1, "device": "cuda"})
    made = api.http.post("/api/v1/comparisons", json=spec, headers=headers).json()["id"]
    api.http.post(f"/api/v1/comparisons/{made}/seeds", json={"seeds": [7]})
    with parts.database.read() as session:
        assert {(run.created_by, run.wants) for run in runs.of_comparison(session, made)} == {
            ("Ada", "cuda")
        }


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_runs_are_claimed_in_the_order_of_the_list(api: Api, broker: Broker, slots: int) -> None:
    """If every run takes equally long, the list predicts every claim."""
    for user, count in (("a", 6), ("b", 3), ("c", 1), ("a", 2)):
        headers = {"X-Lossboard-User": user}
        spec = small(name=user, seeds=list(range(count)))
        api.http.post("/api/v1/comparisons", json=spec, headers=headers).raise_for_status()
    working = [_claimed(api, f"w{at}") for at in range(slots)]
    listed = api.get("/queue")["waiting"]
    assert [one["position"] for one in listed] == list(range(1, 13 - slots))
    claimed: list[str] = []
    while len(claimed) < len(listed):
        over = working.pop(0)
        _end(api, broker, over)
        working.append(_claimed(api, over["worker"]))
        claimed.append(working[-1]["run"])
    assert claimed == [one["run"] for one in listed]


def _claimed(api: Api, worker: str) -> Json:
    given = api.claim(worker)
    assert given is not None
    return {**given, "worker": worker}


def _end(api: Api, broker: Broker, given: Json) -> None:
    send(broker.client, Attempt(given["run"]).ended())
    until(lambda: api.get(f"/runs/{given['run']}")["state"] == "succeeded", "its end")


def test_starts_and_eta_follow_from_the_pace(api: Api, parts: Parts) -> None:
    api.submit(seeds=[0, 1, 2, 3])
    first, second = _claimed(api, "w1"), _claimed(api, "w2")
    unknown = api.get("/queue")
    assert [one["starts_in_s"] for one in unknown["waiting"]] == [None, None]
    assert unknown["eta_s"] is None
    for given, begun in ((first, 20.0), (second, 10.0)):
        with parts.database.write() as write:
            run = runs.get(write.session, given["run"])
            run.started_at, run.step, run.total_steps = begun, 50, 100
    with parts.database.write() as write:
        ended = runs.get(write.session, first["run"])
        runs.end(write, ended, state="succeeded", failure=None, now=50.0)  # in 30 s
    now = 40.0  # the second has done a half in 30 s
    with parts.database.read() as session:
        working = {work.run.id: work for work in queue.running_runs(session)}
        found = forecast(session, parts.workers.listed(), working, now)
    # Half of 30 s is left, and half as much again as it is half as fast and halfway.
    left = 0.5 * (0.75 * 30 + 0.25 * 60)
    assert found.left == {second["run"]: pytest.approx(left)}
    assert list(found.starts.values()) == [0.0, left]
    assert found.eta_s == left + 30


def test_runs_of_trials_take_as_long_as_trials_and_final_ones_as_assumed(
    database: Database,
) -> None:
    """A trial's run took 10 s; so a final one is foreseen to take 15 s until one has ended."""
    store_tuned(
        database, {"pull": ["complete", "waiting"]}, {"pull": ["queued"] * 2}, tuning={"folds": 1}
    )
    slot = WorkerOut(
        name="w",
        device="cpu",
        host="h",
        state="idle",
        run=None,
        runs=[],
        seen_s_ago=0.0,
        usage=None,
    )
    with database.read() as session:
        found = forecast(session, [slot], {}, 2000.0)
    assert list(found.starts.values()) == [0.0, 10.0, 25.0]
    assert found.eta_s == 40.0


@pytest.mark.both_databases
def test_what_a_search_queues_later_is_foreseen_behind_its_runs(database: Database) -> None:
    """A trial's run takes 10 s; one is queued and one follows, then two final runs of 15 s each."""
    made = store_tuned(
        database, {"pull": ["complete", "waiting"]}, now=500.0, tuning={"folds": 1, "trials": 3}
    )
    other = submit(database)  # later, by the same user
    slot = WorkerOut(
        name="w",
        device="cpu",
        host="h",
        state="idle",
        run=None,
        runs=[],
        seen_s_ago=0.0,
        usage=None,
    )

    def foreseen() -> Forecast:
        with database.read() as session:
            return forecast(session, [slot], {}, 2000.0)

    found = foreseen()
    [waiting] = [run.id for run in made.runs if run.state == "queued"]
    assert found.order[0] == waiting
    assert len(found.order) == 2
    assert list(found.starts.values()) == [0.0, 10 + 10 + 2 * 15]
    with database.write() as write:
        comparisons.remove(write, other.id)
    assert foreseen().eta_s == 10 + 10 + 2 * 15
    with database.write() as write:
        write.session.exec(update(Trial).values(state="cancelled"))
    assert foreseen().eta_s == 10  # nothing follows


def test_a_run_that_no_slot_may_take_is_last_and_has_no_start(api: Api) -> None:
    api.submit(name="gpu", training={"epochs": 1, "device": "cuda"})
    api.submit(name="any")
    api.internal("/workers/w/seen", {"device": "cpu", "host": "h", "pid": 1})
    found = api.get("/queue")
    rows = [(one["comparison_name"], one["wants"], one["starts_in_s"]) for one in found["waiting"]]
    assert rows == [("any", "auto", 0), ("gpu", "cuda", None)]
    assert found["eta_s"] is None
    given = api.claim()
    assert given is not None
    assert api.claim("w2") is None


def test_turns_outlive_a_restart_and_a_lost_attempt_keeps_its_user(database: Database) -> None:
    submit_by(database, "a", 3, now=1.0)
    submit_by(database, "b", 3, now=2.0)
    first = claim(database)
    assert first is not None
    with database.write() as write:
        runs.lose_attempt(
            write, runs.get(write.session, first.id), reason="x", strike=False, now=3.0
        )
    again = Database(database.engine.url.render_as_string(hide_password=False))
    second = claim(again)
    again.close()
    assert second is not None
    assert (first.created_by, second.created_by) == ("a", "b")
    assert run_now(database, first.id).created_by == "a"


def test_a_first_claim_of_an_empty_queue(database: Database) -> None:
    assert claim(database) is None
    submit(database)
    assert claim(database) is not None
    assert claim(database) is None
