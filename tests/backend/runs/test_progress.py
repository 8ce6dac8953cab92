"""Progress and remaining time, against numbers computed by hand."""

from typing import Any

import pytest

from backend.db.models import Run
from backend.runs import progress
from backend.runs.progress import Tally


def run(**fields: Any) -> Run:
    base: dict[str, Any] = {"id": "r", "comparison_id": "c", "position": 0, "arm": "a", "seed": 0}
    return Run(**{**base, "created_at": 0.0, **fields})


def test_a_runs_progress_and_eta() -> None:
    assert progress.run_progress(run()) == 0
    half = run(state="running", step=30, total_steps=60, started_at=100.0)
    assert progress.run_progress(half) == 0.5
    assert progress.run_eta(half, 110.0) == 10
    assert progress.run_eta(run(state="running", total_steps=60, started_at=100.0), 110.0) is None
    assert progress.run_progress(run(state="failed", step=15, total_steps=60)) == 0.25
    assert progress.run_eta(run(state="failed", step=15, total_steps=60), 110.0) is None
    assert progress.run_progress(run(state="succeeded")) == 1


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ("running queued failed", "running"),
        ("queued", "queued"),
        ("queued cancelled", "queued"),
        ("queued failed cancelled", "running"),
        ("queued succeeded", "running"),
        ("failed cancelled succeeded", "failed"),
        ("cancelled succeeded", "cancelled"),
        ("succeeded", "succeeded"),
    ],
)
def test_a_comparisons_state(states: str, expected: str) -> None:
    assert progress.overall_state({state: Tally(runs=1) for state in states.split()}) == expected


def test_a_comparisons_progress_and_eta() -> None:
    tallies = {
        "succeeded": Tally(runs=2, progress=2.0, started=200.0, ended=240.0, timed=2),
        "running": Tally(runs=1, progress=0.5, slots=1.0, started=130.0, timed=1, timed_slots=1.0),
        "queued": Tally(runs=3),
    }
    assert progress.overall_progress(tallies) == 2.5 / 6
    assert progress.overall_eta(tallies, slots=1, now=140.0) == 3.5 * 20
    assert progress.overall_eta(tallies, slots=2, now=140.0) == 3.5 * 10
    assert progress.overall_eta(tallies, slots=0, now=140.0) == 3.5 * 20
    del tallies["succeeded"]  # then the pace of the running one counts: 10 s for half of it
    assert progress.overall_eta(tallies, slots=1, now=140.0) == 3.5 * 20
    assert progress.overall_eta({"queued": Tally(runs=3)}, slots=1, now=0.0) is None
    assert progress.overall_eta({"succeeded": Tally(runs=3)}, slots=1, now=0.0) is None


def test_runs_that_did_not_finish_count_with_the_steps_they_have_done() -> None:
    assert progress.overall_progress({"cancelled": Tally(runs=6)}) == 0
    cut_short = {
        "succeeded": Tally(runs=1, progress=1.0),
        "failed": Tally(runs=1, progress=0.25),
        "cancelled": Tally(runs=2, progress=0.75),
    }
    assert progress.overall_progress(cut_short) == 0.5
