"""A worker's message about a snapshot, also when its blobs are missing or wrong."""

import json
from typing import Any

import pytest

from backend.db.models import Run
from backend.embeddings import service as reading
from backend.embeddings.service import SnapshotReader
from backend.runs import snapshots
from backend.state import Parts
from backend.storage.blobs import Blobs
from contract.events import Event, Snapshot
from tests.backend.helpers import Api, Attempt, check_error, claim, run_now, send, submit
from tests.backend.scripted_runs import PAIR, store_events
from tests.backend.worker_requests import put_snapshots, store_snapshot_events
from tests.support.broker import Broker
from tests.support.waiting import until

V1 = "/api/v1"


def running(parts: Parts, **changes: Any) -> Run:
    submit(parts.database, arms=list(PAIR), **changes)
    run = claim(parts.database)
    assert run is not None
    return run


def test_a_snapshot_that_is_sent_twice_counts_once(api: Api, parts: Parts, broker: Broker) -> None:
    run = running(parts)
    attempt = Attempt(run.id)
    events: list[Event] = [attempt.started()]
    events += map(attempt.kept, put_snapshots(parts.blobs, run, [0, 2, 4]))
    send(broker.client, *events, *events, attempt.log("the end"))

    def epochs() -> Any:
        return [one["epochs"] for one in api.get(f"/comparisons/{run.comparison_id}/space")["runs"]]

    until(lambda: run_now(parts.database, run.id).committed_seq == 5, "all to be stored")
    assert epochs() == [[0, 2, 4]]


def test_a_second_snapshot_of_an_epoch_replaces_the_first(api: Api, parts: Parts) -> None:
    run = running(parts)
    attempt = Attempt(run.id)
    [first, second] = put_snapshots(parts.blobs, run, [0, 2])
    store_snapshot_events(parts.database, attempt, [first])
    store_snapshot_events(parts.database, attempt, [second.model_copy(update={"epoch": 0})])
    with parts.database.read() as session:
        [row] = snapshots.of_comparison(session, run.comparison_id)
    assert (row.epoch, row.embeddings) == (0, second.embeddings)


@pytest.mark.parametrize(("after", "kept"), [(0, []), (40, [0, 2]), (39, [0])])
def test_a_new_attempt_deletes_snapshots_after_its_start(
    parts: Parts, after: int, kept: list[int]
) -> None:
    """Snapshots of epochs 0, 2 and 4 are of steps 0, 40 and 80."""
    run = running(parts)
    attempt = Attempt(run.id)
    store_events(parts.database, attempt.started())
    store_snapshot_events(parts.database, attempt, put_snapshots(parts.blobs, run, [0, 2, 4]))
    store_events(parts.database, attempt.lost())
    with parts.database.write() as write:
        waiting = write.session.get(Run, run.id)
        assert waiting is not None
        waiting.start_after = after
    again = claim(parts.database)
    assert again is not None
    assert (again.id, again.attempt) == (run.id, 2)
    with parts.database.read() as session:
        assert [row.epoch for row in snapshots.of_comparison(session, run.comparison_id)] == kept


def test_a_message_is_taken_although_its_blobs_are_missing(api: Api, parts: Parts) -> None:
    run = running(parts)
    [snapshot] = put_snapshots(parts.blobs, run, [0])
    absent = snapshot.model_copy(update={"facts": "f" * 64, "sprite": "e" * 64})
    store_snapshot_events(parts.database, Attempt(run.id), [absent])
    own = f"/comparisons/{run.comparison_id}"
    space = api.get(f"{own}/space")
    assert space["runs"][0]["epochs"] == [0]
    for path in (f"{V1}{own}/space/facts?seed=0&epoch=0", space["samples"]["sprite"]):
        body = check_error(api.http.get(path), 404, "not_found")
        assert "is not on the API's disk" in body["message"]


def test_a_blob_with_other_content_is_reported(api: Api, parts: Parts) -> None:
    run = running(parts)
    [snapshot] = put_snapshots(parts.blobs, run, [0])
    odd = parts.blobs.put(json.dumps({"correct": "all"}).encode())
    store_snapshot_events(
        parts.database, Attempt(run.id), [snapshot.model_copy(update={"facts": odd})]
    )
    for path in ("facts?seed=0&epoch=0", "distances?seed=0"):
        answer = api.http.get(f"{V1}/comparisons/{run.comparison_id}/space/{path}")
        assert "a worker of another version" in check_error(answer, 404, "not_found")["message"]


def test_points_of_different_samples_are_not_mixed(api: Api, parts: Parts) -> None:
    """The first run's snapshots show 40 samples, the second's 30: the larger part is shown."""
    other, run = running(parts), claim(parts.database)
    assert run is not None
    store_snapshot_events(
        parts.database, Attempt(other.id), put_snapshots(parts.blobs, other, [0], 30)
    )
    store_snapshot_events(
        parts.database, Attempt(run.id), put_snapshots(parts.blobs, run, [0, 2], 40)
    )
    space = api.get(f"/comparisons/{run.comparison_id}/space")
    assert space["samples"]["n"] == 40
    assert [one["run"] for one in space["runs"]] == [run.id]


def test_the_reader_caches_only_the_last(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "CACHED_FACTS", 2)
    reader = SnapshotReader(parts.blobs)
    snapshots: list[Snapshot] = put_snapshots(parts.blobs, running(parts), [0, 2, 4])
    first, *_ = found = [reader.facts(one.facts) for one in snapshots]
    assert reader.facts(snapshots[2].facts) is found[2]
    again = reader.facts(snapshots[0].facts)
    assert again == first
    assert again is not first
    Blobs.delete(parts.blobs, [snapshots[0].facts], before=1e12)
    assert reader.facts(snapshots[0].facts) is again
