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
    assert progress.remaining_s(half, None, 110.0) == 10
    begun = run(state="running", total_steps=60, started_at=100.0)
    assert progress.remaining_s(begun, None, 110.0) is None
    assert progress.run_progress(run(state="failed", step=15, total_steps=60)) == 0.25
    failed = run(state="failed", step=15, total_steps=60, started_at=100.0)
    assert progress.remaining_s(failed, 96.0, 110.0) is None
    assert progress.run_progress(run(state="succeeded")) == 1


def test_the_pace_of_the_first_steps_is_not_extrapolated() -> None:
    """Step 20 of 3,200 after 20 s of warm-up: at that pace 53 min, and runs like it took 96 s."""
    warming = run(state="running", step=20, total_steps=3200, steps_per_epoch=160, started_at=100.0)
    assert progress.paced_s(warming, 120.0) is None
    assert progress.remaining_s(warming, None, 120.0) is None
    assert progress.remaining_s(warming, 96.0, 120.0) == pytest.approx(95.4)
    assert progress.remaining_s(warming, None, 161.0) is None, "a minute, but no whole epoch"
    epoch = warming.model_copy(update={"step": 160})
    assert progress.paced_s(epoch, 110.0) == pytest.approx(200.0), "5 % of its steps"
    long = warming.model_copy(update={"step": 160, "total_steps": 32_000})
    assert progress.paced_s(long, 159.0) is None
    assert progress.paced_s(long, 160.0) == pytest.approx(12_000.0), "an epoch and a minute"


def test_the_further_a_run_is_the_more_its_own_pace_counts() -> None:
    """Runs like it took 100 s; this one is half as fast."""
    at = {
        step: progress.remaining_s(
            run(state="running", step=step, total_steps=100, started_at=0.0), 100.0, 2.0 * step
        )
        for step in (10, 50, 90)
    }
    assert at == {
        10: pytest.approx(0.9 * 101),
        50: pytest.approx(0.5 * 125),
        90: pytest.approx(0.1 * 181),
    }


def test_a_run_that_is_trained_with_others_takes_as_long_as_all_of_them() -> None:
    together = run(state="running", total_steps=100, started_at=0.0, shared=8)
    assert progress.remaining_s(together, 3.0, 1.0) == 24.0


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
    assert progress.overall_eta({"queued": Tally(runs=3)}, slots=1, now=0.0, known_s=7.0) == 21
    tallies["running"].progress = 0.04  # its first steps tell nothing
    assert progress.overall_eta(tallies, slots=1, now=140.0) is None
    assert progress.overall_eta({"succeeded": Tally(runs=3)}, slots=1, now=0.0) is None


def test_runs_that_did_not_finish_count_with_the_steps_they_have_done() -> None:
    assert progress.overall_progress({"cancelled": Tally(runs=6)}) == 0
    cut_short = {
        "succeeded": Tally(runs=1, progress=1.0),
        "failed": Tally(runs=1, progress=0.25),
        "cancelled": Tally(runs=2, progress=0.75),
    }
    assert progress.overall_progress(cut_short) == 0.5
