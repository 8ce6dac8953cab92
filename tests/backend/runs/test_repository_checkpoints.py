"""Checkpoints of runs: where the next attempt begins, and when a checkpoint's blob is deleted."""

import pytest

from backend.db.database import Commit, Database
from backend.db.models import Run
from backend.ingest import handlers
from backend.runs import repository as runs
from backend.runs import snapshots
from backend.runs.schemas import run_out
from backend.state import Parts
from contract.events import Event, Failure
from tests.backend.helpers import (
    TOKEN,
    Api,
    Attempt,
    claim,
    points_of,
    run_now,
    running,
    send,
    submit,
)
from tests.support.broker import Broker
from tests.support.waiting import until

ONE, TWO, THREE = 64 * "1", 64 * "2", 64 * "3"


def store(database: Database, *events: Event, now: float = 2000.0) -> set[str]:
    """Store events; return the blobs that are not needed any more."""
    with database.write() as write:
        counts = handlers.store_events(write, events, now=now)
    assert counts == {"taken": len(events)}
    return write.unused_blobs


def lost_after(database: Database, *, step: int = 20, beyond: int = 30) -> Run:
    """A run that died some steps behind its checkpoint, and is claimed again."""
    run = running(database)
    attempt = Attempt(run.id)
    unused_blobs = store(
        database,
        attempt.started(),
        attempt.points(range(step + 1)),
        attempt.points([step], key="test.k"),
        attempt.points(range(step + 1, beyond + 1)),
        attempt.checkpointed(step, ONE),
        attempt.lost(),
    )
    assert unused_blobs == set()
    again = claim(database, now=3000.0)
    assert again is not None
    return again


def test_a_lost_attempt_continues_from_its_checkpoint(database: Database) -> None:
    again = lost_after(database)
    assert (again.attempt, again.start_after, again.checkpoint) == (2, 20, ONE)
    assert (again.step, again.resumed_at) == (20, 20)
    assert points_of(database, again.id)[0] == list(range(21))
    assert points_of(database, again.id, "test.k")[0] == []  # read anew at the end
    attempt = Attempt(again.id, 2)
    assert store(database, attempt.started(after=20), attempt.points([21, 22])) == set()
    assert points_of(database, again.id)[0] == list(range(23))
    assert run_now(database, again.id).resumed_at == 20


def test_an_attempt_with_an_unusable_checkpoint_starts_over_and_mixes_no_histories(
    database: Database,
) -> None:
    again = lost_after(database)
    attempt = Attempt(again.id, 2)
    commits: list[Commit] = []
    database.on_commit = commits.append
    unused_blobs = store(
        database,
        attempt.log("the checkpoint is no use"),
        attempt.started(after=0),
        attempt.points([0, 1], [0.5, 0.25]),
    )
    assert unused_blobs == {ONE}
    assert points_of(database, again.id) == ([0, 1], [0.5, 0.25])
    started_over = run_now(database, again.id)
    assert (
        started_over.start_after,
        started_over.checkpoint,
        started_over.resumed_at,
        started_over.step,
    ) == (0, None, 0, 1)
    [commit] = commits
    assert commit.updates[again.comparison_id].drops == {again.id: -1}


def test_only_the_newest_checkpoint_is_kept_and_none_after_a_success(database: Database) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    first = attempt.started(), attempt.points([0, 1]), attempt.checkpointed(1, ONE)
    assert store(database, *first) == set()
    assert store(database, attempt.points([2]), attempt.checkpointed(2, TWO)) == {ONE}
    assert store(database, attempt.ended()) == {TWO}
    assert run_now(database, run.id).checkpoint is None


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_retry_continues_from_the_checkpoint(database: Database, state: str) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    failure = Failure(message="the disk is full") if state == "failed" else None
    unused_blobs = store(
        database,
        *(attempt.started(), attempt.points(range(9)), attempt.checkpointed(6, ONE)),
        attempt.ended(state, failure),
    )
    assert unused_blobs == set()
    with database.write() as write:
        runs.retry(write, runs.get(write.session, run.id))
    again = claim(database)
    assert again is not None
    assert (again.attempt, again.start_after, again.checkpoint) == (2, 6, ONE)
    assert points_of(database, run.id)[0] == list(range(7))


def test_a_checkpoint_that_comes_too_late_is_not_kept(database: Database) -> None:
    again = lost_after(database)
    late, gone = Attempt(again.id), Attempt("deleted")
    with database.write() as write:
        events = late.checkpointed(20, ONE), late.checkpointed(25, TWO), gone.checkpointed(1, THREE)
        assert handlers.store_events(write, events, now=3.0) == {"stale": 2, "unknown run": 1}
    assert write.unused_blobs == {TWO, THREE}, "the run continues from the first"


def test_three_losses_with_checkpoints_in_between_do_not_fail_the_run(database: Database) -> None:
    run = running(database)
    for number in (1, 2, 3, 4):
        attempt = Attempt(run.id, number)
        after = 10 * (number - 1)
        digest = 64 * str(number)
        store(database, attempt.started(after=after), attempt.checkpointed(after + 10, digest))
        store(database, attempt.lost())
        assert run_now(database, run.id).state == "queued"
        claim(database)
    assert run_now(database, run.id).start_after == 40


def test_the_pace_counts_only_the_steps_of_this_attempt(database: Database) -> None:
    again = lost_after(database)
    answer = run_out(run_now(database, again.id), now=3010.0)
    assert (answer.resumed_at, answer.progress, answer.eta_s) == (20, 0.2, None)
    attempt = Attempt(again.id, 2)
    store(database, attempt.started(after=20), attempt.points([60]), now=3000.0)
    answer = run_out(run_now(database, again.id), now=3010.0)
    assert answer.eta_s == pytest.approx(10.0)  # 40 steps in 10 s, 40 to go


@pytest.mark.both_databases
def test_a_claim_names_the_checkpoint_and_its_blob_is_deleted_after_the_next(
    api: Api, parts: Parts, broker: Broker
) -> None:
    submit(parts.database)
    claimed = api.claim()
    assert claimed is not None
    assert (claimed["start_after"], claimed["checkpoint"]) == (0, None)
    run, attempt = claimed["run"], Attempt(claimed["run"])
    one, two = (parts.blobs.put(content) for content in (b"one", b"two"))
    send(
        broker.client,
        *(attempt.started(), attempt.checkpointed(1, one), attempt.checkpointed(2, two)),
        attempt.lost(),
    )
    until(lambda: run_now(parts.database, run).attempt == 2, "the loss of the attempt to be stored")
    until(lambda: not parts.blobs.has(one), "the older blob to be deleted")
    claimed = api.claim()
    assert claimed is not None
    assert (claimed["start_after"], claimed["checkpoint"]) == (2, two)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    read = api.http.get(f"/api/v1/internal/blobs/{two}", headers=headers)
    assert read.content == b"two"
    seen = api.http.get(f"/api/v1/comparisons/{claimed['comparison']}/blobs/{two}")
    assert seen.status_code == 404  # only a worker can use it
    attempt = Attempt(run, 2)
    send(broker.client, attempt.started(after=2), attempt.ended())
    until(lambda: not parts.blobs.has(two), "the last blob to be deleted after the success")


def test_a_checkpoint_is_kept_until_its_comparison_is_deleted(api: Api, parts: Parts) -> None:
    run = running(parts.database)
    digest, stray = parts.blobs.put(b"state"), parts.blobs.put(b"never named")
    attempt = Attempt(run.id)
    store(
        parts.database, attempt.started(), attempt.checkpointed(3, digest), attempt.ended("failed")
    )
    snapshots.delete_all_unused_blobs(parts.database, parts.blobs, now=1e12)
    assert parts.blobs.has(digest)
    assert not parts.blobs.has(stray)
    size = api.get(f"/comparisons/{run.comparison_id}/size")
    assert size["bytes"] == len(b"state")
    assert api.http.delete(f"/api/v1/comparisons/{run.comparison_id}").status_code == 204
    assert not parts.blobs.has(digest)
