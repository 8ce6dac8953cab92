"""What becomes of a worker's message that it kept a snapshot; and when its blobs fail it."""

import json
from typing import Any

import pytest

from backend.db.models import Run
from backend.embeddings import service as reading
from backend.embeddings.service import Reader
from backend.runs import snapshots
from backend.state import Parts
from backend.storage.blobs import Blobs
from contract.events import Event, Snapshot
from tests.backend.helpers import Api, Attempt, check_error, claim, run_now, send, submit
from tests.backend.played import PAIR, store
from tests.backend.spaces import keep, snapshots_of
from tests.support.broker import Broker
from tests.support.waiting import until

V1 = "/api/v1"


def running(parts: Parts, **changes: Any) -> Run:
    submit(parts.database, arms=list(PAIR), **changes)
    run = claim(parts.database)
    assert run is not None
    return run


def test_a_snapshot_told_twice_counts_once(api: Api, parts: Parts, broker: Broker) -> None:
    run = running(parts)
    attempt = Attempt(run.id)
    told: list[Event] = [attempt.started()]
    told += map(attempt.kept, snapshots_of(parts.blobs, run, [0, 2, 4]))
    send(broker.client, *told, *told, attempt.log("the end"))

    def epochs() -> Any:
        return [one["epochs"] for one in api.get(f"/comparisons/{run.comparison_id}/space")["runs"]]

    until(lambda: run_now(parts.database, run.id).committed_seq == 5, "all to be stored")
    assert epochs() == [[0, 2, 4]]


def test_the_same_epoch_once_more_replaces_it(api: Api, parts: Parts) -> None:
    run = running(parts)
    attempt = Attempt(run.id)
    [first, second] = snapshots_of(parts.blobs, run, [0, 2])
    keep(parts.database, attempt, [first])
    keep(parts.database, attempt, [second.model_copy(update={"epoch": 0})])
    with parts.database.read() as session:
        [row] = snapshots.of_comparison(session, run.comparison_id)
    assert (row.epoch, row.embeddings) == (0, second.embeddings)


@pytest.mark.parametrize(("after", "kept"), [(0, []), (40, [0, 2]), (39, [0])])
def test_a_new_attempt_forgets_what_lies_beyond_its_start(
    parts: Parts, after: int, kept: list[int]
) -> None:
    """Snapshots of epochs 0, 2 and 4 are of steps 0, 40 and 80."""
    run = running(parts)
    attempt = Attempt(run.id)
    store(parts.database, attempt.started())
    keep(parts.database, attempt, snapshots_of(parts.blobs, run, [0, 2, 4]))
    store(parts.database, attempt.lost())
    with parts.database.write() as write:
        waiting = write.session.get(Run, run.id)
        assert waiting is not None
        waiting.start_after = after
    again = claim(parts.database)
    assert again is not None
    assert (again.id, again.attempt) == (run.id, 2)
    with parts.database.read() as session:
        assert [row.epoch for row in snapshots.of_comparison(session, run.comparison_id)] == kept


def test_a_message_is_taken_though_its_blobs_are_absent(api: Api, parts: Parts) -> None:
    run = running(parts)
    [told] = snapshots_of(parts.blobs, run, [0])
    absent = told.model_copy(update={"facts": "f" * 64, "sprite": "e" * 64})
    keep(parts.database, Attempt(run.id), [absent])
    own = f"/comparisons/{run.comparison_id}"
    space = api.get(f"{own}/space")
    assert space["runs"][0]["epochs"] == [0]
    for path in (f"{V1}{own}/space/facts?seed=0&epoch=0", space["samples"]["sprite"]):
        body = check_error(api.http.get(path), 404, "not_found")
        assert "is not on the API's disk" in body["message"]


def test_a_blob_that_says_something_else_is_told_apart(api: Api, parts: Parts) -> None:
    run = running(parts)
    [told] = snapshots_of(parts.blobs, run, [0])
    odd = parts.blobs.put(json.dumps({"correct": "all"}).encode())
    keep(parts.database, Attempt(run.id), [told.model_copy(update={"facts": odd})])
    for path in ("facts?seed=0&epoch=0", "distances?seed=0"):
        answer = api.http.get(f"{V1}/comparisons/{run.comparison_id}/space/{path}")
        assert "a worker of another version" in check_error(answer, 404, "not_found")["message"]


def test_points_of_other_samples_are_not_put_beside(api: Api, parts: Parts) -> None:
    """The first run's snapshots show 40 samples, the second's 30: the larger part is shown."""
    other, run = running(parts), claim(parts.database)
    assert run is not None
    keep(parts.database, Attempt(other.id), snapshots_of(parts.blobs, other, [0], 30))
    keep(parts.database, Attempt(run.id), snapshots_of(parts.blobs, run, [0, 2], 40))
    space = api.get(f"/comparisons/{run.comparison_id}/space")
    assert space["samples"]["n"] == 40
    assert [one["run"] for one in space["runs"]] == [run.id]


def test_the_reader_keeps_only_the_last(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MANY_FACTS", 2)
    reader = Reader(parts.blobs)
    told: list[Snapshot] = snapshots_of(parts.blobs, running(parts), [0, 2, 4])
    first, *_ = found = [reader.facts(one.facts) for one in told]
    assert reader.facts(told[2].facts) is found[2]
    again = reader.facts(told[0].facts)
    assert again == first
    assert again is not first
    Blobs.delete(parts.blobs, [told[0].facts], before=1e12)
    assert reader.facts(told[0].facts) is again
