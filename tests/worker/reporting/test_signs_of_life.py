"""Signs of life: the pace of each kind of work, few messages, and none from background threads."""

import threading
from collections.abc import Iterator

import pytest

from worker.reporting import signs_of_life
from worker.reporting.signs_of_life import STEP, TELL_S, Sign, SignsOfLife


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def heard() -> Iterator[list[Sign]]:
    told: list[Sign] = []
    signs_of_life.listen(told.append)
    yield told
    signs_of_life.listen(None)


def test_the_pace_of_a_work_is_its_longest_time_between_two_signs_once_a_piece_is_done() -> None:
    told: list[Sign] = []
    clock = Clock()
    signs = SignsOfLife(told.append, clock)
    for step in range(1, 4):
        signs.begin(STEP, step)
        clock.now += step
    signs.begin("evaluation", 3)
    clock.now += 7
    signs.sign()
    clock.now += 5
    signs.sign()
    signs.begin(STEP, 4)
    clock.now += 1
    signs.begin("evaluation", 4)
    assert told == [
        Sign(work=STEP, step=1),
        Sign(work=STEP, step=2, usual_s=1),
        Sign(work=STEP, step=3, usual_s=2),
        Sign(work="evaluation", step=3),
        Sign(work="evaluation", step=3),
        Sign(work="evaluation", step=3),
        Sign(work=STEP, step=4, usual_s=3),
        Sign(work="evaluation", step=4, usual_s=7),
    ]


def test_a_slow_piece_is_forgotten_after_many_fast_ones() -> None:
    told: list[Sign] = []
    clock = Clock()
    signs = SignsOfLife(told.append, clock)
    for step in range(2 * signs_of_life.REMEMBERED):
        signs.begin(STEP, step)
        clock.now += 1 if step else 50
    paces = [sign.usual_s for sign in told]
    assert paces[1] == 50
    assert paces[-1] == 1


def test_signs_about_the_same_work_are_told_now_and_then_other_work_at_once() -> None:
    told: list[Sign] = []
    clock = Clock()
    signs = SignsOfLife(told.append, clock)
    for step in range(100):
        signs.begin(STEP, step)
        clock.now += TELL_S / 10
    assert 10 <= len(told) <= 11
    signs.sign("reading")
    assert told[-1].work == "reading"


def test_a_long_call_is_told_before_and_after_and_is_no_part_of_the_pace() -> None:
    told: list[Sign] = []
    clock = Clock()
    signs = SignsOfLife(told.append, clock)
    signs.begin("evaluation")
    with signs.long_call():
        clock.now += 1000
    assert [sign.long for sign in told] == [False, True, False]
    signs.begin(STEP, 1)
    signs.begin("evaluation")
    assert told[-1].usual_s == 0


def test_only_the_main_thread_gives_signs(heard: list[Sign]) -> None:
    def work() -> None:
        signs_of_life.begin("background work")
        with signs_of_life.long_call():
            signs_of_life.sign("more of it")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == []
    signs_of_life.begin("work")
    assert [sign.work for sign in heard] == ["work"]


def test_without_a_listener_nothing_happens() -> None:
    signs_of_life.begin("work")
    signs_of_life.sign()
    with signs_of_life.long_call():
        pass
