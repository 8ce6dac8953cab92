"""The machine's clock jumps while a run is running, as time servers set it: no run is lost."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from backend.http.times import CLOCK
from backend.state import Parts
from tests.backend.helpers import Api, Attempt, Json, points_of, run_now, send
from tests.support.broker import Broker
from tests.support.waiting import until

DAY = 86_400.0
FAR_S = 900.0
"""Longer than any test, and much shorter than a jump."""


class Clock:
    """The real clock plus an offset in seconds."""

    def __init__(self, real: Callable[[], float]) -> None:
        self._real = real
        self.offset = 0.0

    def __call__(self) -> float:
        return self._real() + self.offset


@pytest.fixture
def clock(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock(time.time)
    monkeypatch.setattr(time, "time", clock)
    monkeypatch.setattr(CLOCK, "machine", clock)
    yield clock
    clock.offset = 0.0
    CLOCK.follow(CLOCK.jump())


@pytest.mark.parametrize("steps", [(DAY, -DAY), (-DAY, DAY), (3600.0, 7200.0)])
def test_a_clock_that_jumps_loses_no_run(
    api: Api, parts: Parts, broker: Broker, clock: Clock, steps: tuple[float, float]
) -> None:
    comparison = api.submit()
    claimed = api.claim()
    assert claimed is not None
    run = claimed["run"]
    attempt = Attempt(run)
    send(broker.client, attempt.started(total_steps=6), attempt.points([0, 1]))
    for at, offset in enumerate(steps, start=1):
        clock.offset = offset
        parts.sweeper.sweep_soon()
        send(broker.client, attempt.points([2 * at, 2 * at + 1]))
        until(lambda: run_now(parts.database, run).committed_seq == attempt.seq, "the points")
        assert api.heartbeat(run) == {
            "current": True,
            "state": "running",
            "cancel": False,
            "committed_seq": attempt.seq,
        }
        assert api.claim("other") is None
        assert has_valid_times(api.get(f"/comparisons/{comparison}/runs")["runs"][0])
        assert run in str(api.get("/queue"))
        assert api.get("/health/ready")["status"] == "ok"
    send(broker.client, attempt.ended())
    until(lambda: run_now(parts.database, run).state == "succeeded", "the end")
    assert run_now(parts.database, run).attempt == 1
    assert points_of(parts.database, run)[0] == list(range(6))
    assert api.submit() != comparison
    assert api.claim() is not None


def has_valid_times(run: Json) -> bool:
    """Return whether the remaining time of a run is unknown or not negative."""
    return run["eta_s"] is None or run["eta_s"] >= 0


@pytest.mark.parametrize("hour", [3600.0, -3600.0])
def test_no_remaining_time_and_no_duration_contains_a_jump(
    api: Api, parts: Parts, broker: Broker, clock: Clock, hour: float
) -> None:
    comparison = api.submit()
    claimed = api.claim()
    assert claimed is not None
    run = claimed["run"]
    attempt = Attempt(run)
    send(broker.client, attempt.started(total_steps=4), attempt.points([0, 1]))
    until(lambda: run_now(parts.database, run).step == 1, "the points")
    began = clock()
    clock.offset = hour
    seen = api.get(f"/comparisons/{comparison}/runs")["runs"][0]
    assert 0 <= seen["eta_s"] < FAR_S
    parts.sweeper.sweep_soon()
    until(lambda: CLOCK.jump() == 0, "the clock to follow")
    seen = api.get(f"/comparisons/{comparison}/runs")["runs"][0]
    assert 0 <= seen["eta_s"] < FAR_S
    assert 0 <= api.get(f"/comparisons/{comparison}")["eta_s"] < FAR_S
    assert 0 <= api.get("/queue")["eta_s"] < FAR_S
    assert abs(datetime.fromisoformat(seen["started_at"]).timestamp() - began - hour) < FAR_S
    send(broker.client, attempt.points([2, 3]), attempt.ended())
    until(lambda: run_now(parts.database, run).state == "succeeded", "the end")
    over = run_now(parts.database, run)
    assert over.started_at is not None
    assert over.ended_at is not None
    assert 0 <= over.ended_at - over.started_at < FAR_S
