"""Invalid stream entries are dropped and counted, and the valid events between them all count."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.db.database import Database
from backend.ingest import event_stream
from backend.ingest.collector import Collector
from backend.metrics import points
from contract.events import Event, encode
from contract.names import EVENT_FIELD, EVENT_STREAM
from tests.backend.helpers import Attempt, points_of, run_now, running, send
from tests.support.broker import Broker
from tests.support.examples import at_most
from tests.support.waiting import until

Fields = dict[Any, Any]
"""Of an entry of the stream."""

STEPS: Final = 12
REASONS: Final = {"taken", "duplicate", "gap", "stale", "unknown run", "undecodable"}
HUGE: Final = 500_000
"""Characters; more than any event of ours has."""


def entry(raw: str | bytes) -> Fields:
    return {EVENT_FIELD: raw}


def valid_events(run: str) -> list[Event]:
    attempt = Attempt(run)
    events: list[Event] = [attempt.started(total_steps=STEPS)]
    events += [attempt.points([s, s + 1]) for s in range(0, STEPS, 2)]
    return [*events, attempt.log("so far"), attempt.ended()]


def without(event: Event, key: str) -> bytes:
    read = json.loads(encode(event))
    del read[key]
    return json.dumps(read).encode()


def changed(event: Event, **fields: Any) -> bytes:
    return json.dumps({**json.loads(encode(event)), **fields}).encode()


NUMBERS: Final = st.integers(-(2**70), 2**70)
ANYTHING: Final = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def junk(true: list[Event]) -> st.SearchStrategy[Fields]:
    """Generate entries that are not the next event of the run's current attempt."""
    some = st.sampled_from(true)
    versions = NUMBERS.filter(lambda v: v != 1) | st.text(max_size=5) | st.none()
    premature = st.integers(len(true) + 1, 2**70)
    needed = st.sampled_from(["kind", "run", "attempt", "seq"])
    msgpack = st.binary(max_size=20).map(b"\x83\xa1v\x01\xa3run\xa1r\xa7attempt\x01".__add__)
    raw: st.SearchStrategy[bytes | str] = st.one_of(
        st.binary(max_size=200),
        ANYTHING.map(json.dumps),
        msgpack,
        st.builds(without, some, needed),
        st.builds(lambda event, v: changed(event, v=v), some, versions),
        st.builds(lambda event, n: changed(event, attempt=n), some, st.integers(2, 2**70)),
        st.builds(lambda event, run: changed(event, run=run), some, st.text(max_size=30)),
        st.builds(lambda event, seq: changed(event, seq=seq), some, premature),
        st.builds(lambda event: changed(event, unknown="x" * HUGE), some),
        st.builds(lambda event: changed(event, run="x" * HUGE), some),
        st.just("[" * HUGE),
        st.sampled_from([2**63, 2**70, -1]).map(lambda step: changed(true[1], step=step)),
    )
    nameless = st.text(min_size=1, max_size=9).filter(EVENT_FIELD.__ne__)
    return raw.map(entry) | nameless.map(lambda name: {name: b"x"})


@st.composite
def streams(draw: st.DrawFn, true: list[Event]) -> list[Fields]:
    """Generate the valid events in order, with junk, repeated and premature ones in between."""
    mixed: list[Fields] = []
    for at, event in enumerate(true):
        mixed += draw(st.lists(junk(true), max_size=3))
        if draw(st.booleans()):  # sent before, or not its turn yet
            other = draw(st.sampled_from([i for i in range(len(true)) if i != at]))
            mixed.append(entry(encode(true[other])))
        mixed.append(entry(encode(event)))
    return mixed + draw(st.lists(junk(true), max_size=3))


@pytest.fixture
def collector(database: Database, broker_url: str) -> Iterator[Collector]:
    own = Collector(database, broker_url)
    own.start()
    yield own
    own.stop()
    own.join()


@hypothesis_settings(
    max_examples=at_most(100),
    deadline=None,
    derandomize=True,
    suppress_health_check=[*HealthCheck],  # one collector for all, as in life
)
@given(data=st.data())
def test_junk_is_dropped_and_counted_and_the_run_finishes(
    database: Database, broker: Broker, collector: Collector, data: st.DataObject
) -> None:
    run = running(database)
    true = valid_events(run.id)
    mixed = data.draw(streams(true))
    before = collector.counts.copy()
    with broker.client.pipeline(transaction=False) as pipe:
        for fields in mixed:
            pipe.xadd(EVENT_STREAM, fields)
        pipe.execute()
    tail = event_stream.newest_entry(broker.client)
    until(lambda: collector.has_processed(tail), "the collector to pass all", timeout=20)

    assert run_now(database, run.id).state == "succeeded"
    assert points_of(database, run.id) == (list(range(STEPS)), [float(s) for s in range(STEPS)])
    new = {reason: n - before[reason] for reason, n in collector.counts.items()}
    assert sum(new.values()) == len(mixed)
    assert new["taken"] == len(true)
    assert set(new) <= REASONS
    assert collector.is_alive()
    assert broker.client.xlen(EVENT_STREAM) == 0


def test_an_event_that_cannot_be_stored_fails_its_run(
    database: Database, broker: Broker, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned, fine = running(database), running(database)
    attempt = Attempt(poisoned.id)
    insert = points.insert

    def picky(session: Any, columns: Any) -> None:
        if any(13 in steps for steps, _ in columns.values()):
            raise ValueError("no thirteen")
        insert(session, columns)

    monkeypatch.setattr(points, "insert", picky)
    send(broker.client, attempt.started(), attempt.points([12]), attempt.points([13]))
    send(broker.client, *valid_events(fine.id), attempt.points([14]))
    until(lambda: run_now(database, poisoned.id).state == "failed", "the end", timeout=20)
    until(lambda: run_now(database, fine.id).state == "succeeded", "the other", timeout=20)
    until(
        lambda: collector.has_processed(event_stream.newest_entry(broker.client)),
        "all to be counted",
    )
    error = run_now(database, poisoned.id).error
    assert error is not None
    assert "no thirteen" in error["message"]
    assert points_of(database, poisoned.id) == ([12], [12.0])
    assert points_of(database, fine.id)[0] == list(range(STEPS))
    assert (collector.counts["unstorable"], collector.counts["stale"]) == (1, 1)


def test_text_that_a_database_refuses_is_cleaned() -> None:
    attempt = Attempt("r1")
    raw = encode(attempt.log("a\0b", "\ud800", "fine ✓"))
    assert json.loads(raw)["lines"] == ["a\ufffdb", "?", "fine ✓"]


def test_a_run_whose_name_a_database_refuses_is_unknown(
    database: Database, broker: Broker, collector: Collector
) -> None:
    raw = json.dumps({**json.loads(encode(Attempt("r1").started())), "run": "r\0"}).encode()
    broker.client.xadd(EVENT_STREAM, {"event": raw})
    tail = event_stream.newest_entry(broker.client)
    until(lambda: collector.has_processed(tail), "the collector to pass it", timeout=20)
    assert collector.counts["unknown run"] == 1
