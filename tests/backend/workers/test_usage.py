"""What slots and runs use of their machine, from heartbeats and events to the answers."""

from typing import Any

import pytest

from backend.ingest import handlers
from backend.runs import progress
from backend.state import Parts
from contract.events import Ended, Started, Usage
from tests.backend.helpers import Api, Attempt, run_now

USED: dict[str, Any] = {
    "cpu_cores": 0.98,
    "memory_bytes": 812_000_000,
    "memory_total_bytes": 25_000_000_000,
    "gpu_share": 0.43,
    "gpu_memory_bytes": 5_100_000_000,
    "gpu_memory_total_bytes": 80_000_000_000,
}


def beat(api: Api, run: str, **body: Any) -> int:
    asked = {"worker": "w", "runs": [{"run": run, "attempt": 1}], **body}
    return api.internal("/heartbeats", asked).status_code


def test_a_heartbeat_tells_what_the_slot_uses(api: Api) -> None:
    api.submit()
    given = api.claim()
    assert given is not None
    assert api.get("/workers")["workers"][0]["usage"] is None
    assert beat(api, given["run"], usage=USED) == 200
    assert api.get("/workers")["workers"][0]["usage"] == USED
    [slot] = api.get("/queue")["workers"]
    assert slot["usage"] == USED
    assert slot["samples_per_s"] is None
    assert beat(api, given["run"]) == 200, "of an older worker"
    assert api.get("/workers")["workers"][0]["usage"] is None


@pytest.mark.parametrize("wrong", [{"cpu_cores": -1}, {"gpu_share": 2}, {"fans": 3}])
def test_a_usage_that_cannot_be_is_refused(api: Api, wrong: dict[str, Any]) -> None:
    api.submit()
    given = api.claim()
    assert given is not None
    assert beat(api, given["run"], usage={**USED, **wrong}) == 422


def test_a_run_says_where_it_was_trained_and_what_it_used(api: Api, parts: Parts) -> None:
    own = api.submit(seeds=[0])
    given = api.claim()
    assert given is not None
    run = given["run"]
    found = api.get(f"/runs/{run}")
    assert (found["environment"], found["usage"]) == (None, None)
    attempt = Attempt(run)
    started = attempt.started(total_steps=20).model_copy(
        update={"environment": {"host": "gpu-1", "torch": "2.13.0"}, "splits": {"train": 100}}
    )
    used = Usage(seconds=4.0, cpu_seconds=3.9, memory_bytes=10**9, samples_per_s=1234.5)
    ended = attempt.ended().model_copy(update={"usage": used})
    assert isinstance(started, Started)
    assert isinstance(ended, Ended)
    with parts.database.write() as write:
        handlers.store_events(write, [started], now=2000.0)
    found = api.get(f"/runs/{run}")
    assert found["environment"] == {"host": "gpu-1", "torch": "2.13.0"}
    with parts.database.write() as write:
        handlers.store_events(write, [ended], now=2001.0)
    assert api.get(f"/runs/{run}")["usage"] == used.model_dump()
    assert "environment" not in api.get(f"/comparisons/{own}/runs")["runs"][0], "lists stay short"


def test_samples_a_second_count_the_steps_of_this_attempt(parts: Parts, api: Api) -> None:
    api.submit(seeds=[0])
    given = api.claim()
    assert given is not None
    run = run_now(parts.database, given["run"])
    run.started_at, run.step, run.resumed_at, run.steps_per_epoch = 100.0, 30, 10, 10
    assert progress.samples_per_s(run, 104.0) is None, "its splits are not known"
    run.splits = {"train": 643, "test": 100}  # three are left over at the end of each epoch
    assert progress.samples_per_s(run, 104.0) == pytest.approx(64 * 20 / 4)
    run.step = 10
    assert progress.samples_per_s(run, 104.0) is None
