"""The live stream: a snapshot, then every change, without a gap and without a repeat."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from backend.state import Parts
from contract.names import EVENT_STREAM
from tests.backend.helpers import Api, Attempt, Json, Sse, check_error, send
from tests.support.broker import Broker
from tests.support.waiting import until

Curves = dict[tuple[str, str], list[int]]


@contextmanager
def following(api: Api, comparison: str, last_id: str = "", keys: str = "") -> Iterator[Sse]:
    headers = {"Last-Event-ID": last_id} if last_id else {}
    path = f"/api/v1/comparisons/{comparison}/live"
    with api.http.stream("GET", path, headers=headers, params={"keys": keys}) as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        yield Sse(response)


class Page:
    """The state of a viewer's page after the events that it received."""

    def __init__(self) -> None:
        self.curves: Curves = {}
        self.runs: dict[str, Json] = {}
        self.seen: list[str] = []

    def apply(self, name: str, data: Any) -> None:
        self.seen.append(name)
        if name == "reset":
            self.curves = {(s["run"], s["key"]): s["steps"] for s in data["series"]}
            self.runs = {run["id"]: run for run in data["runs"]}
        elif name == "drop":
            for key, steps in self.curves.items():
                if key[0] == data["run"]:
                    self.curves[key] = [s for s in steps if s <= data["after"]]
        elif name == "points":
            for s in data["series"]:
                self.curves.setdefault((s["run"], s["key"]), []).extend(s["steps"])
        elif name == "runs":
            self.runs.update({run["id"]: run for run in data["runs"]})

    def over(self) -> bool:
        return all(run["state"] not in {"queued", "running"} for run in self.runs.values())


def started(api: Api) -> tuple[str, str]:
    comparison = api.submit()
    claim = api.claim()
    assert claim is not None
    return comparison, claim["run"]


def test_a_reset_with_the_history_comes_first_then_points_and_the_end(
    api: Api, broker: Broker
) -> None:
    comparison, run = started(api)
    attempt = Attempt(run)
    send(broker.client, attempt.started(), attempt.points([0, 1]))
    until(lambda: api.get("/series", run=run)["series"], "the first points")
    page = Page()
    with following(api, comparison) as events:
        received = iter(events)
        name, data = next(received)
        assert name == "reset"
        assert set(data) == {"comparison", "runs", "series"}
        assert data["comparison"]["id"] == comparison
        assert data["comparison"]["spec"]["seeds"] == [0]
        assert data["series"] == [
            {"run": run, "key": "k", "total": 2, "steps": [0, 1], "values": [0.0, 1.0]}
            | {"min": None, "max": None}
        ]
        first_id = events.last_id
        assert first_id != "0-0"
        send(broker.client, attempt.points([2], [None]), attempt.points([3]), attempt.ended())
        page.apply(name, data)
        while not page.over():
            page.apply(*next(received))
        assert events.last_id > first_id
    assert page.runs[run]["state"] == "succeeded"
    assert page.curves[run, "k"][-1] == 3  # the end is never sent before the last point


LOSS = "dynamics.loss"
TRIPLETS = "dynamics.active_ratio"


@pytest.mark.parametrize("keys", ["", LOSS, f"{LOSS},{TRIPLETS}", "run.elapsed_s"])
def test_only_the_requested_keys_are_sent(api: Api, broker: Broker, keys: str) -> None:
    comparison, run = started(api)
    attempt = Attempt(run)
    page = Page()
    with following(api, comparison, keys=keys) as events:
        received = iter(events)
        page.apply(*next(received))
        points = [attempt.points([0], key=LOSS), attempt.points([0], key=TRIPLETS)]
        send(broker.client, *points, attempt.ended())
        while not page.over():
            page.apply(*next(received))
    asked = set(keys.split(",")) if keys else {LOSS, TRIPLETS}
    assert {key for _, key in page.curves} == asked & {LOSS, TRIPLETS}


def test_keys_that_do_not_exist_are_named_with_similar_ones(api: Api) -> None:
    path = f"/api/v1/comparisons/{api.submit()}/live"
    answer = api.http.get(path, params={"keys": f"{LOSS},dynamics.los"})
    [field] = check_error(answer, 422, "invalid_request")["fields"]
    assert field["path"] == "keys"
    assert "'dynamics.los'; did you mean 'dynamics.loss'" in field["message"]


def test_viewers_that_connect_and_reconnect_at_any_time_miss_nothing(
    api: Api, broker: Broker
) -> None:
    """Points a step apart stream in; every point stands alone in its flush or is thinned, so
    rising steps without repeats, and agreeing ends, are what a gapless stream must show."""
    comparison, run = started(api)
    attempt = Attempt(run)
    stop = threading.Event()
    sent = [0]

    def feed() -> None:
        while not stop.wait(0.003):
            send(broker.client, attempt.points([sent[0]]))
            sent[0] += 1

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        for _ in range(5):
            check_connect_and_resume(api, comparison, run)
    finally:
        stop.set()
        feeder.join()
    send(broker.client, attempt.ended())
    until(lambda: api.get(f"/runs/{run}")["state"] == "succeeded", "the end")
    steps = api.get("/series", run=run, max_points=100_000)["series"][0]["steps"]
    assert steps == list(range(sent[0]))


def check_connect_and_resume(api: Api, comparison: str, run: str) -> None:
    page = Page()
    with following(api, comparison) as events:
        for count, (name, data) in enumerate(events):
            page.apply(name, data)
            if count > 4:
                break
        last_id = events.last_id
    held = page.curves[run, "k"]
    assert page.seen[0] == "reset"
    assert page.seen.count("reset") == 1
    assert held == sorted(set(held)), "a point came twice"
    with following(api, comparison, last_id) as events:
        for name, data in events:
            page.apply(name, data)
            if name == "points":
                break
    assert page.seen.count("reset") == 1  # a known id continues where it was
    # Cut off between the events of one flush, a viewer is sent its points again, never less.
    assert page.curves[run, "k"][-1] >= held[-1]


def test_no_point_is_lost_between_connections(api: Api, broker: Broker) -> None:
    """One point at a time, each awaited, over many connections: thinning drops nothing here."""
    comparison, run = started(api)
    attempt = Attempt(run)
    page, last_id, step = Page(), "", 0
    for _ in range(8):
        with following(api, comparison, last_id) as events:
            received = iter(events)
            if not last_id:
                page.apply(*next(received))
            for _ in range(3):
                send(broker.client, attempt.points([step]))
                while page.curves.get((run, "k"), [-1])[-1] != step:
                    page.apply(*next(received))
                step += 1
            last_id = events.last_id
        send(broker.client, attempt.points([step]))  # while no viewer is connected
        step += 1
        until(lambda: not broker.client.xlen(EVENT_STREAM), "the stream to be stored")
    with following(api, comparison, last_id) as events:
        for name, data in events:
            page.apply(name, data)
            if page.curves[run, "k"][-1] == step - 1:
                break
    assert page.curves[run, "k"] == list(range(step))
    assert page.seen.count("reset") == 1


def test_an_unknown_id_gets_a_reset(api: Api) -> None:
    comparison, _ = started(api)
    for last_id in ("1-0", "99999999999999-0", "nonsense"):
        with following(api, comparison, last_id) as events:
            assert next(iter(events))[0] == "reset"


def test_a_new_attempt_drops_the_old_points(api: Api, broker: Broker) -> None:
    comparison, run = started(api)
    old = Attempt(run)
    page = Page()
    with following(api, comparison) as events:
        received = iter(events)
        page.apply(*next(received))
        send(broker.client, old.started(), old.points([0, 1]), old.lost())
        while page.runs[run]["state"] != "queued":
            page.apply(*next(received))
        assert api.claim() is not None
        new = Attempt(run, 2)
        send(broker.client, new.started(), new.points([0]), new.ended())
        while not page.over():
            page.apply(*next(received))
    assert "drop" in page.seen
    assert page.curves[run, "k"] == [0]


def test_deleting_ends_the_stream(api: Api) -> None:
    comparison, _ = started(api)
    with following(api, comparison) as events:
        received = iter(events)
        assert next(received)[0] == "reset"
        api.http.delete(f"/api/v1/comparisons/{comparison}")
        assert list(received)[-1] == ("gone", {})


def test_a_viewer_too_far_behind_gets_a_reset(
    api: Api, parts: Parts, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.live.viewer.MAX_POINTS", 50)
    comparison, run = started(api)
    attempt = Attempt(run)
    page = Page()
    with following(api, comparison) as events:
        received = iter(events)
        page.apply(*next(received))
        send(broker.client, attempt.points(list(range(200))))
        page.apply(*next(received))
        assert page.seen == ["reset", "reset"]
        assert page.curves[run, "k"] == list(range(200))
        send(broker.client, attempt.points([200]), attempt.ended())
        while not page.over():
            page.apply(*next(received))
    assert page.curves[run, "k"] == list(range(201))


def test_a_fast_run_is_thinned_to_its_extremes_and_its_newest(api: Api, broker: Broker) -> None:
    comparison, run = started(api)
    attempt = Attempt(run)
    with following(api, comparison) as events:
        received = iter(events)
        next(received)
        values = [0.0] * 100
        values[40], values[60] = -5.0, 9.0
        send(broker.client, attempt.points(list(range(100)), values))
        name, data = next(received)
    assert name == "points"
    assert data["series"][0]["steps"] == [40, 60, 99]
    assert data["series"][0]["values"] == [-5.0, 9.0, 0.0]
