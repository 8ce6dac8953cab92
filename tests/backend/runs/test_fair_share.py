"""The rules of fair share: which run is next, and the plan of all starts."""

from collections import Counter
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from backend.runs.fair_share import Slot, Start, Turns, WaitingRun, plan_starts


def sweep(
    user: str, count: int, at: float = 0.0, priority: int = 0, wants: str = "auto"
) -> list[WaitingRun]:
    """Runs of one comparison; each takes 10 s."""
    return [
        WaitingRun(f"{user}{n}", user, priority, wants, (at, n, f"{user}{n}"), 10.0)
        for n in range(count)
    ]


def names(starts: Iterable[Start]) -> str:
    return " ".join(start.run for start in starts)


CPU = Slot("cpu")


def test_fewest_running_then_longest_without_a_turn_then_longest_waiting() -> None:
    since = {"a": 1.0, "b": 2.0, "c": 3.0}
    turns = Turns({"a": 1}, {"b": 5, "c": 4})
    assert turns.first(since) == "c"
    turns.claimed("c")
    assert turns.first(since) == "b"
    assert turns.claimed("b") == 7
    assert turns.first(since) == "a"  # each has one; a never had a numbered turn
    turns.ended("b")
    assert turns.first(since) == "b"
    assert Turns({}, {}).first(since) == "a"
    assert Turns({}, {}).first({"b": 1.0, "a": 1.0}) == "a"


def test_with_one_slot_users_take_turns() -> None:
    queue = [*sweep("a", 5), *sweep("b", 2, at=9.0)]
    assert names(plan_starts(queue, [CPU], Turns({}, {}))) == "a0 b0 a1 b1 a2 a3 a4"
    working = Slot("cpu", "a", 3.0)
    starts = list(plan_starts(queue, [working], Turns({"a": 1}, {"a": 1})))
    assert names(starts) == "b0 a0 b1 a1 a2 a3 a4"
    assert [start.at for start in starts] == [3, 13, 23, 33, 43, 53, 63]
    assert starts[-1].end == 73


def test_a_slot_that_becomes_free_goes_to_the_user_with_the_fewest_runs() -> None:
    queue = [*sweep("a", 3), *sweep("b", 3, at=9.0)]
    slots = [Slot("cpu", "a", 100.0), Slot("cpu", "a", 1.0)]
    assert names(plan_starts(queue, slots, Turns({"a": 2}, {"a": 2}))) == "b0 b1 b2 a0 a1 a2"


def test_priority_counts_before_fairness() -> None:
    queue = [*sweep("a", 2, priority=1), *sweep("b", 2)]
    assert names(plan_starts(queue, [CPU], Turns({}, {"a": 9}))) == "a0 a1 b0 b1"


def test_a_run_starts_only_on_the_device_it_wants() -> None:
    queue = [*sweep("a", 2, wants="cuda"), *sweep("b", 2), *sweep("c", 1, wants="cpu")]
    only_cpu = plan_starts(queue, [CPU], Turns({}, {}))
    assert names(only_cpu) == "b0 c0 b1"
    both = list(plan_starts(queue, [Slot("cuda"), CPU], Turns({}, {})))
    assert {start.run for start in both} == {one.run for one in queue}
    assert names(both).startswith("a0 b0")
    assert list(plan_starts(queue, [], Turns({}, {}))) == []


@given(
    st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 30)), min_size=1, max_size=12),
    st.integers(1, 6),
)
def test_every_run_starts_once_no_slot_idles_and_no_user_starves(
    submitted: list[tuple[str, int]], slots: int
) -> None:
    queue = [
        one._replace(run=f"{at}{one.run}")
        for at, (user, count) in enumerate(submitted)
        for one in sweep(user, count, at=float(at))
    ]
    starts = list(plan_starts(queue, [CPU] * slots, Turns({}, {})))
    assert Counter(start.run for start in starts) == Counter(one.run for one in queue)
    assert max(start.end for start in starts) == 10 * -(-len(queue) // slots)
    # A user with n runs and a share of the slots is done after n rounds of all users.
    user_of = {one.run: one.user for one in queue}
    owned = Counter(user_of.values())
    for user, count in owned.items():
        last = max(start.end for start in starts if user_of[start.run] == user)
        others = sum(min(other, count) for name, other in owned.items() if name != user)
        assert last <= 10 * -(-(count + others) // slots) + 10
