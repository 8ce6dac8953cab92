"""The rows of the table of comparisons, and the line about workers."""

from typing import Literal, cast

from frontend.api.types import Comparison, Ready, Run, Worker
from frontend.board.table import preparation_text, state_text, table_rows, workers_line
from frontend.ui.text import STATE_TEXTS, duration, page_count


def test_the_workers_line_counts_and_says_what_to_do() -> None:
    ready: Ready = {
        "status": "ok",
        "database": "ok",
        "broker": "ok",
        "collector": "ok",
        "disk": "ok",
        "collector_lag": 0,
        "collector_lag_s": 0.0,
        "disk_free": 10**9,
        "problems": [],
    }

    def slots(*states: Literal["idle", "busy", "lost"]) -> str:
        slot = {"name": "w", "device": "cpu", "host": "here", "run": None, "seen_s_ago": 1.0}
        workers = [cast(Worker, {**slot, "state": state}) for state in states]
        return workers_line(workers, ready)

    assert slots("busy", "idle", "idle") == "3 worker slots: 1 busy, 2 idle"
    assert slots("idle") == "1 worker slot: 0 busy, 1 idle"
    assert "not seen recently" in slots("busy", "lost")
    assert "python -m launcher up" in slots("lost")


def test_a_comparison_that_is_being_prepared_says_how_far() -> None:
    def run(state: str, done: float | None, total: float | None = 200) -> Run:
        ahead = None if done is None else {"done": done, "total": total}
        return cast(Run, {"state": state, "preparing": ahead})

    waiting = run("queued", None)
    assert preparation_text([run("running", 50), waiting]) == "▷ preparing 25 %"
    assert preparation_text([run("running", 50), run("running", 100)]) == "▷ preparing 50 %"
    assert preparation_text([run("running", 7, None), waiting]) == "▷ preparing"
    assert preparation_text([run("running", 50), run("running", None)]) == ""
    assert preparation_text([waiting]) == ""


def test_a_comparison_that_is_tuned_says_its_phase() -> None:
    def said(state: str, phase: str | None) -> str:
        runs = {"queued": 10, "running": 2, "succeeded": 30, "failed": 1, "cancelled": 5}
        return state_text(cast(Comparison, {"state": state, "phase": phase, "trial_runs": runs}))

    assert said("running", "search") == "▶ searching 36/48"
    assert said("running", "final") == "▶ final runs"
    assert said("running", None) == "▶ running"
    assert said("succeeded", "final") == "✓ succeeded"
    assert said("cancelled", "search") == "◼ cancelled"


def test_times_and_pages_in_words() -> None:
    assert [duration(s) for s in (None, 0, 89, 300, 7200)] == ["", "0 s", "89 s", "5 min", "2.0 h"]
    assert [page_count(total, 25) for total in (0, 1, 25, 26)] == [1, 1, 1, 2]
    assert table_rows([]) == []
    assert set(STATE_TEXTS) == {"queued", "running", "succeeded", "failed", "cancelled"}
