"""The fault benchmark finds lost, doubled and changed points."""

import random

from benchmarks.faults import Curves, Outcome, _compare, _deck, _draw
from benchmarks.stream_watch import StreamWatch

RIGHT: Curves = {"a": ([0, 1, 2], [0.5, None, 1.5]), "b": ([0], [1.0])}


def counts(found: Curves) -> tuple[int, int, int]:
    seen = Outcome()
    _compare(found, {**RIGHT}, seen)
    return seen.lost, seen.doubled, seen.different


def test_lost_doubled_and_other_points_are_distinguished() -> None:
    assert counts({**RIGHT}) == (0, 0, 0)
    assert counts({**RIGHT, "a": ([0, 2], [0.5, 1.5])}) == (1, 0, 0)
    assert counts({"a": RIGHT["a"]}) == (1, 0, 0)
    assert counts({**RIGHT, "a": ([0, 1, 1, 2], [0.5, None, None, 1.5])}) == (0, 1, 0)
    assert counts({**RIGHT, "a": ([0, 1, 2, 3], [0.5, None, 1.5, 2])}) == (0, 1, 0)
    assert counts({**RIGHT, "a": ([0, 1, 2], [0.5, 0.0, 1.4])}) == (0, 0, 2)
    assert counts({**RIGHT, "c": ([0], [1.0])}) == (0, 1, 0)


def test_the_deck_is_fair_and_spares_a_run_a_third_deadly_fault() -> None:
    kinds = ["kill -9 of the trainer", "kill -9 of the worker", "disk full", "SIGTERM to the api"]
    deck = _deck(kinds, 40, random.Random(0))
    assert sorted(deck) == sorted(kinds * 10)
    drawn = [_draw(deck, 2) for _ in range(21)]
    assert set(drawn[:20]) == {"disk full", "SIGTERM to the api"}
    assert drawn[20] is None
    assert len(deck) == 20
    assert _draw(deck, 1) in kinds[:2]


def added(attempt: int, seq: int, body: str) -> str:
    return (
        f'XADD lossboard.events * event {{"v":1,"run":"r1","attempt":{attempt},"seq":{seq},{body}}}'
    )


def test_an_attempt_that_two_trainers_run_is_seen_and_a_message_sent_again_is_none() -> None:
    watch = StreamWatch("redis://127.0.0.1:1/0")
    for command in (added(1, 1, "x"), added(1, 2, "y"), added(1, 1, "x"), added(2, 1, "z")):
        watch.see(command)
    assert (watch.events, watch.twice, watch.overlapped) == (4, set(), set())
    watch.see(added(2, 1, "other"))
    assert watch.twice == {("r1", 2)}
    watch.see(added(1, 3, "late"))
    assert watch.overlapped == {"r1"}
