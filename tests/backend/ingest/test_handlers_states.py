"""States of runs: each event sets or removes one, and a new attempt begins with its own."""

from backend.db.database import Database
from backend.ingest import handlers
from backend.runs.schemas import run_out
from contract.events import Event
from tests.backend.helpers import Attempt, claim, run_now, running


def store(database: Database, *events: Event) -> None:
    with database.write() as write:
        handlers.store_events(write, events, now=2000.0)


def states(database: Database, run: str) -> list[tuple[str, int]]:
    found = run_out(run_now(database, run), now=2000.0).states
    return [(one.state, one.step) for one in found]


def test_states_come_and_go(database: Database) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    store(database, attempt.started(), attempt.noticed("no_valid_tuple", 10, "no tuple"))
    [seen] = run_out(run_now(database, run.id), now=2000.0).states
    assert (seen.state, seen.step, seen.message) == ("no_valid_tuple", 10, "no tuple")
    store(database, attempt.noticed("below_backbone", 12), attempt.noticed("collapsed", 5))
    assert states(database, run.id) == [
        ("no_valid_tuple", 10),
        ("below_backbone", 12),
        ("collapsed", 5),
    ]
    store(database, attempt.noticed("no_valid_tuple", 20, over=True))
    store(database, attempt.noticed("collapsed", 7), attempt.noticed("overflow", 20, over=True))
    assert states(database, run.id) == [("below_backbone", 12), ("collapsed", 7)]
    store(database, attempt.ended())
    assert states(database, run.id) == [("below_backbone", 12), ("collapsed", 7)]


def test_viewers_are_told_with_the_same_commit(database: Database) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    events: list[Event] = [attempt.started(), attempt.noticed("collapsed", 3)]
    with database.write() as write:
        handlers.store_events(write, events, now=2000.0)
        update = write.updates[run.comparison_id]
    assert [one["state"] for one in update.runs[run.id].states] == ["collapsed"]


def test_the_next_attempt_keeps_states_before_its_checkpoint_until_it_says_which(
    database: Database,
) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    store(
        database,
        attempt.started(),
        attempt.points([5]),
        attempt.noticed("below_untrained", 5),
        attempt.checkpointed(6),
        attempt.points([8]),
        attempt.noticed("collapsed", 8),
        attempt.lost(),
    )
    claim(database)
    assert states(database, run.id) == [("below_untrained", 5)]
    again = Attempt(run.id, 2)
    store(database, again.started(after=6))
    assert states(database, run.id) == []
    store(database, again.noticed("below_untrained", 5))
    assert states(database, run.id) == [("below_untrained", 5)]


def test_an_attempt_that_starts_over_has_no_states_of_the_one_before(database: Database) -> None:
    run = running(database)
    attempt = Attempt(run.id)
    noticed = attempt.started(), attempt.noticed("below_untrained", 0), attempt.points([3])
    store(database, *noticed, attempt.lost())
    claim(database)
    assert states(database, run.id) == []
