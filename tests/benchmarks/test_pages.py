import pytest

from benchmarks.live import Ours
from benchmarks.live_peers import Seen
from benchmarks.page_actions import BUSY_MS, STEP_MS, step_rows
from benchmarks.pages import PARTS, arguments


def test_all_parts_are_measured_unless_some_are_named() -> None:
    assert arguments([]).only == list(PARTS)
    assert arguments(["--only", "hover", "pca"]).only == ["hover", "pca"]
    with pytest.raises(SystemExit):
        arguments(["--only", "hovr"])


def test_delays_of_steps_meet_their_goals_or_not() -> None:
    seen = Ours([0.1] * 90 + [0.4] * 10, Seen([], 0.0))
    rows = step_rows("step to pixel", seen, STEP_MS) + step_rows("busy", seen, BUSY_MS)
    assert [row.case for row in rows] == ["step to pixel, p50", "step to pixel, p95", "busy, p50"]
    assert [row.ours for row in rows] == pytest.approx([100, 400, 100])
    assert [row.met for row in rows] == [True, False, True]
