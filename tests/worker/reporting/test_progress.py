"""Reports of the work before the first step: not too many, with the time left, until a cancel."""

import itertools

import pytest

from worker.errors import CancelledError
from worker.reporting import signs_of_life
from worker.reporting.progress import PreparationProgress
from worker.reporting.reporter import ListReporter
from worker.reporting.signs_of_life import Sign


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_new_work_and_its_end_are_told_at_once_the_rest_now_and_then() -> None:
    reporter, clock = ListReporter(), Clock()
    progress = PreparationProgress(reporter, lambda: False, clock)
    for done in range(101):
        progress("reading", done, 100)
        clock.now += 0.01
    progress("thinking", 0, None, "thoughts")
    seen = reporter.preparations
    assert [p.what for p in seen] == ["reading"] * (len(seen) - 1) + ["thinking"]
    assert seen[0].done == 0
    assert seen[-2].done == 100
    assert len(seen) == 2 + 3 + 1
    assert (seen[-1].unit, seen[-1].total, seen[-1].eta_s) == ("thoughts", None, None)


def test_the_time_left_follows_the_pace_so_far() -> None:
    reporter, clock = ListReporter(), Clock()
    progress = PreparationProgress(reporter, lambda: False, clock)
    progress("downloading", 50, 100, "bytes")  # resumed
    assert reporter.preparations[-1].eta_s is None
    clock.now = 10
    progress("downloading", 75, 100, "bytes")
    assert reporter.preparations[-1].eta_s == pytest.approx(10)
    clock.now = 20
    progress("downloading", 120, 100, "bytes")
    assert reporter.preparations[-1].eta_s is None


def test_a_cancel_ends_the_work() -> None:
    progress = PreparationProgress(ListReporter(), lambda: True)
    with pytest.raises(CancelledError, match="reading"):
        progress("reading", 1, 2)


def test_each_report_is_a_sign_of_life() -> None:
    told: list[Sign] = []
    seconds = itertools.count()
    signs_of_life.listen(told.append, lambda: float(next(seconds)))
    try:
        progress = PreparationProgress(ListReporter(), lambda: False)
        for done in range(3):
            progress("reading", done, 3)
    finally:
        signs_of_life.listen(None)
    assert [sign.work for sign in told] == ["reading"] * 3
