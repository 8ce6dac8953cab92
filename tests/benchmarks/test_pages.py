from typing import cast
from unittest.mock import MagicMock

import pytest
from playwright.sync_api import Error, Page

from benchmarks.live import Ours
from benchmarks.live_peers import Seen
from benchmarks.page_actions import BUSY_MS, STEP_MS, rows_beside, step_rows
from benchmarks.page_peers import KINDS, Peer, Times, measure
from benchmarks.pages import PARTS, arguments
from benchmarks.peers.environment import MISSING


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


def test_other_pages_stand_beside_ours_without_the_first_of_each_and_with_what_failed() -> None:
    def load(peer: Peer) -> float:
        if peer is broken:
            raise Error("no chart within 90 s\nCall log: ...")
        return next(seconds)

    seconds = iter([9.0, 3.0, 5.0, 4.0])
    good, broken = (Peer(cast(Page, MagicMock()), "", KINDS["trackio"][1]) for _ in range(2))
    times: Times = {}
    for _ in range(4):
        measure({"a page": good, "another": broken, "a third": MISSING}, times, load)
    rows = rows_beside("the page", "s", 2.0, [7.0, 2.5, 1.5, 2.0], times)
    assert [(row.peer_name, row.ours, row.peer, row.n, row.met) for row in rows] == [
        ("a page", 2.0, 4.0, 3, True),
        ("another (not measured: no chart within 90 s)", 2.0, None, 3, True),
        (f"a third (not measured: {MISSING})", 2.0, None, 3, True),
    ]
