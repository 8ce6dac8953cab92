"""A restore while the broker still holds, and a worker still sends, events that the
backup does not know."""

from dataclasses import replace
from pathlib import Path

import pytest
from redis import Redis

from backend.admin.backup import backup
from backend.admin.locations import Locations
from backend.admin.restore import restore
from backend.settings import Settings
from contract.events import Event, encode
from contract.names import EVENT_FIELD, EVENT_STREAM
from tests.backend.conftest import Serve
from tests.backend.helpers import Api, Attempt, Sse, points_of, run_now, send
from tests.support.waiting import until


@pytest.fixture
def client(settings: Settings) -> Redis:
    return Redis.from_url(settings.redis_url)


def taken(api: Api) -> Attempt:
    claim = api.claim()
    assert claim is not None
    return Attempt(claim["run"], claim["attempt"])


def add(client: Redis, first: int, *events: Event) -> None:
    """Add events to the stream, as entries with these numbers."""
    for entry, event in enumerate(events, first):
        client.xadd(EVENT_STREAM, {EVENT_FIELD: encode(event)}, id=f"{entry}-0")


# Onto a server's database that holds something nothing is restored;
# tests/backend/admin/test_restore.py has it empty.
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_point_is_stored_twice_and_no_gap_stays(
    serve: Serve, settings: Settings, client: Redis, tmp_path: Path
) -> None:
    locations = Locations(settings.data_dir, settings.database_url)
    file = tmp_path / "b.tar"
    with serve(settings) as (api, parts):
        comparison = api.submit()
        old = taken(api)
        send(client, old.started(100), old.points(range(11)))
        until(lambda: points_of(parts.database, old.run)[0] == list(range(11)), "the points")
        waiting = api.submit()
        backup(locations, file)
        next_run = taken(api)  # it waited when the backup was made, so that does not know
        send(client, old.points(range(11, 21)))
        until(lambda: run_now(parts.database, old.run).step == 20, "the points since")
        with api.http.stream("GET", f"/api/v1/comparisons/{comparison}/live") as response:
            sse = Sse(response)
            next(iter(sse))
        seen = sse.last_id
    # The API is down, the workers are not: one continues, one has just started.
    send(client, old.points(range(21, 31)), next_run.started(100), next_run.points(range(5)))
    assert client.xlen(EVENT_STREAM) == 3
    restore(locations, file, force=True)
    with serve(settings) as (api, parts):
        until(lambda: parts.collector.counts["stale"] == 3, "the events left in the stream")
        assert points_of(parts.database, old.run)[0] == list(range(11))
        for attempt in (old, next_run):
            assert run_now(parts.database, attempt.run).state == "queued"
            beat = api.heartbeat(attempt.run, attempt.attempt)
            assert (beat["current"], beat["committed_seq"]) == (False, 0)
        # A viewer from before is sent everything again, not changes to data that no longer exists.
        headers = {"Last-Event-ID": seen}
        new = taken(api)
        assert (new.run, new.attempt) == (old.run, 101)
        send(client, old.points(range(31, 41)))  # it has not asked yet whether it is current
        send(client, new.started(100), new.points(range(31)), new.ended())
        with api.http.stream(
            "GET", f"/api/v1/comparisons/{comparison}/live", headers=headers
        ) as response:
            name, _ = next(iter(Sse(response)))
        assert name == "reset"
        until(lambda: run_now(parts.database, new.run).state == "succeeded", "the end")
        assert points_of(parts.database, new.run) == ([*range(31)], [float(i) for i in range(31)])
        until(lambda: parts.collector.counts["stale"] == 4, "the late points to be dropped")
        assert parts.collector.counts["gap"] == 0
        later = taken(api)
        assert (later.run, later.attempt) == (next_run.run, 101)
        assert later.run in {run["id"] for run in api.get(f"/comparisons/{waiting}/runs")["runs"]}


def test_the_stream_of_another_broker_is_read_from_its_beginning(
    serve: Serve, settings: Settings, client: Redis, tmp_path: Path
) -> None:
    """Its entries may have any number, also lower ones than the last that the backup stored."""
    file = tmp_path / "b.tar"
    with serve(settings) as (api, parts):
        api.submit()
        old = taken(api)
        send(client, old.started(100), old.points(range(11)))
        until(lambda: run_now(parts.database, old.run).step == 10, "the points")
        backup(Locations(settings.data_dir, settings.database_url), file)
    client.flushall()
    folder = tmp_path / "other"
    other = replace(
        settings, data_dir=folder, database_url=f"sqlite:///{folder / 'lossboard.sqlite'}"
    )
    restore(Locations(folder, other.database_url), file)
    add(client, 1, old.points(range(11, 21)))
    with serve(other) as (api, parts):
        new = taken(api)
        add(client, 2, new.started(100), new.points(range(21)), new.ended())
        until(lambda: run_now(parts.database, new.run).state == "succeeded", "the end")
        assert points_of(parts.database, new.run)[0] == list(range(21))
        until(lambda: client.xlen(EVENT_STREAM) == 0, "all events to be removed from the stream")
