"""Words about the work before the first step: not too many, with the time left, ended by cancel."""

import pytest

from worker.errors import CancelledError
from worker.reporting.reporter import ListReporter
from worker.trainer.attempt import PreparationProgress


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
    told = reporter.preparations
    assert [p.what for p in told] == ["reading"] * (len(told) - 1) + ["thinking"]
    assert told[0].done == 0
    assert told[-2].done == 100
    assert len(told) == 2 + 3 + 1
    assert (told[-1].unit, told[-1].total, told[-1].eta_s) == ("thoughts", None, None)


def test_the_time_left_follows_the_pace_so_far() -> None:
    reporter, clock = ListReporter(), Clock()
    progress = PreparationProgress(reporter, lambda: False, clock)
    progress("downloading", 50, 100, "bytes")  # taken up where another left it
    assert reporter.preparations[-1].eta_s is None
    clock.now = 10
    progress("downloading", 75, 100, "bytes")
    assert reporter.preparations[-1].eta_s == pytest.approx(10)
    clock.now = 20
    progress("downloading", 120, 100, "bytes")
    assert reporter.preparations[-1].eta_s is None


def test_a_cancel_ends_it() -> None:
    progress = PreparationProgress(ListReporter(), lambda: True)
    with pytest.raises(CancelledError, match="reading"):
        progress("reading", 1, 2)
