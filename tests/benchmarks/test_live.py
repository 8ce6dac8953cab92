import base64
from pathlib import Path
from typing import cast

import pytest
from playwright.sync_api import Browser, Error

from benchmarks import live_peers
from benchmarks.live import rows_of
from benchmarks.live_page import Traffic, delays, newest
from benchmarks.live_peers import Seen
from benchmarks.peers.environment import MISSING


def test_a_step_is_seen_with_itself_or_a_newer_one() -> None:
    handed = {1: 10.0, 2: 10.1, 3: 10.2, 4: 10.3, 5: 10.4}
    painted = [(2, 10.5), (4, 11.0)]
    assert delays(handed, painted, since=10.05) == pytest.approx([0.4, 0.8, 0.7])


def test_only_newer_points_count() -> None:
    points = [(3, 2.0), (1, 1.0), (2, 3.0), (3, 4.0), (7, 5.0)]
    assert newest(points) == [(1, 1.0), (3, 2.0), (7, 5.0)]


def test_bytes_are_counted_as_they_came_between_two_times() -> None:
    traffic = Traffic()
    traffic.requested({"wallTime": 1_000.0, "timestamp": 10.0})
    traffic.answered({"timestamp": 10.5, "dataLength": 5_000, "encodedDataLength": 5_000})
    traffic.answered({"timestamp": 12.0, "dataLength": 900, "encodedDataLength": 300})
    traffic.answered({"timestamp": 13.0, "dataLength": 40, "encodedDataLength": 0})
    binary = base64.b64encode(b"x" * 50).decode()
    traffic.framed({"timestamp": 14.0, "response": {"opcode": 2, "payloadData": binary}})
    traffic.framed({"timestamp": 14.5, "response": {"opcode": 1, "payloadData": "zehn é"}})
    traffic.answered({"timestamp": 20.0, "dataLength": 7, "encodedDataLength": 7})
    assert traffic.rate(1_001.0, 1_006.0) == pytest.approx((300 + 40 + 50 + 7) / 5)


def test_a_page_that_shows_nothing_does_not_keep_the_others_from_being_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = Seen([0.5], 9.0)

    def streamlit(_: object, __: Path, period: float) -> Seen:
        if period < 1:
            raise Error("no chart within 90 s\nCall log: ...")
        return good

    def tensorboard(_: object, folder: Path) -> tuple[Seen, Seen]:
        raise FileNotFoundError(folder / "python")

    monkeypatch.setattr(live_peers, "streamlit", streamlit)
    monkeypatch.setattr(live_peers, "tensorboard", tensorboard)
    assert live_peers.all_seen(cast(Browser, None), tmp_path) == {
        "streamlit fragment every 1 s": good,
        "streamlit fragment every 0.25 s": "no chart within 90 s",
        "tensorboard, reload every 30 s": MISSING,
        "tensorboard, reload pressed every 1 s": MISSING,
    }


def test_a_peer_without_figures_says_why() -> None:
    ours = Seen([0.1] * 9 + [0.2], 2_000.0)
    peers: dict[str, Seen | str] = {"a page": Seen([1.0] * 10, 6_000.0), "another": MISSING}
    rows = list(rows_of(ours, peers))
    assert [row.peer_name for row in rows] == [
        "a page",
        f"another (not measured: {MISSING})",
    ] * 3
    assert [row.peer for row in rows] == [1000, None, 1000, None, 6, None]
    assert [row.ratio for row in rows if row.peer] == pytest.approx([10, 1000 / 145, 3], rel=0.1)
