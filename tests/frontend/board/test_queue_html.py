"""The queue as text and HTML."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from frontend.api.types import Queue, QueueSlot
from frontend.board import queue_html


def queue(**values: Any) -> Queue:
    own = {"workers": [], "devices": {}, "waiting": [], "waiting_total": 0, "running_total": 0}
    return cast(Queue, {**own, "eta_s": None, "page": 1, "page_size": 25, **values})


def test_the_headline_says_how_long_all_takes_if_known() -> None:
    known = queue(devices={"cuda": 2, "cpu": 1}, running_total=3, waiting_total=1200, eta_s=600.0)
    line = queue_html.headline(known)
    assert (
        line
        == "3 runs in progress · 1,200 waiting · 1 CPU slot, 2 GPU slots · all done in about 10 min"
    )
    unknown = queue(devices={"cpu": 1}, waiting_total=1)
    assert "once every comparison has started" in queue_html.headline(unknown)


@pytest.mark.parametrize(
    ("state", "running", "heading"),
    [
        ("idle", 0, "No runs waiting, 1 slot idle"),
        ("busy", 1, "No runs waiting"),
        ("lost", 0, "No runs waiting"),
    ],
)
def test_an_empty_queue_says_when_a_new_run_starts(state: str, running: int, heading: str) -> None:
    found = queue_html.empty_text(queue(workers=[{"state": state}], running_total=running))
    assert found[0] == heading
    assert ("no worker" in found[1]) == (state == "lost")


def slot(**values: Any) -> QueueSlot:
    own: dict[str, Any] = {"name": "w<1>", "device": "cpu", "host": "here", "state": "busy"}
    own |= {
        "run": "r",
        "runs": ["r"],
        "seen_s_ago": 1.0,
        "comparison": "c",
        "comparison_name": "n",
        "seed": 3,
    }
    own |= {"created_by": "Ada", "arm": "a&b", "progress": 0.25, "eta_s": 30.0, "preparing": None}
    own |= {"states": [], "role": "final", "trial": None, "fold": None}
    own |= {"usage": None, "samples_per_s": None}
    return cast(QueueSlot, {**own, **values})


def test_a_slot_shows_how_far_its_run_is() -> None:
    shown = queue_html.slot_html(slot())
    assert "25 % · 30 s left" in shown
    assert "aria-valuenow='25'" in shown
    assert "a&amp;b" in shown
    assert "w&lt;1&gt;" in shown
    ahead = {"what": "computing features", "done": 5, "total": 10, "unit": "", "eta_s": None}
    preparing = queue_html.slot_html(slot(progress=0.0, eta_s=None, preparing=ahead))
    assert "preparing: computing features" in preparing
    assert "aria-valuenow='50'" in preparing
    lost = queue_html.slot_html(slot(state="lost", comparison=None, seen_s_ago=40.0))
    assert "not seen recently, last 40 s ago" in lost
    assert "progressbar" not in lost


def test_the_run_of_a_trial_is_named_by_its_trial_and_fold() -> None:
    trial = {"role": "trial", "trial": 7, "seed": 1000}
    assert "<small>trial 7, fold 3 · by Ada" in queue_html.slot_html(slot(**trial, fold=2))
    assert "<small>trial 7 · by Ada" in queue_html.slot_html(slot(**trial, fold=None))
    assert "<small>seed 3 · by Ada" in queue_html.slot_html(slot(trial=7))  # a final run
    row: Any = {**slot(**trial, fold=0), "position": 1, "wants": "auto", "starts_in_s": None}
    row["waits_for"] = None
    assert "<small>trial 7, fold 1 · " in queue_html.waiting_html(row, {"cpu": 1})


def test_a_slot_that_trains_several_runs_together_says_how_many() -> None:
    shown = queue_html.slot_html(slot(runs=["r", "s", "t"]))
    assert "3 runs" in shown
    assert "trained together" in shown
    assert "seed 3" not in shown


def test_a_slot_says_in_which_states_its_run_is() -> None:
    seen = {"state": "collapsed", "step": 3, "message": "one <point>"}
    shown = queue_html.slot_html(slot(states=[seen, {**seen, "state": "below_backbone"}]))
    assert "⚠ collapsed, ↓ below the raw backbone" in shown
    assert "title='one &lt;point&gt; one &lt;point&gt;'" in shown
    assert "⚠" not in queue_html.slot_html(slot())


def test_a_groups_heading_counts_and_dates() -> None:
    row: Any = {"created_by": "Ada", "since": "2026-11-23T14:05:00+00:00"}
    now = datetime(2026, 11, 23, 14, 15, tzinfo=UTC)
    heading = queue_html.group_heading([row, row], now, one_page=True)
    assert heading == "2 runs · by Ada · submitted 10 min ago"
    heading = queue_html.group_heading([row], now, one_page=False)
    assert heading == "1 run on this page · by Ada · submitted 10 min ago"


def test_a_row_says_when_it_begins_or_what_it_waits_for() -> None:
    row: Any = {"position": 3, "arm": "<a>", "seed": 7, "wants": "auto", "starts_in_s": 80.0}
    row["waits_for"] = None
    row |= {"role": "final", "trial": None, "fold": None}
    assert "&lt;a&gt;" in queue_html.waiting_html(row, {"cpu": 1})
    assert "seed 7 · starts in about 80 s" in queue_html.waiting_html(row, {"cpu": 1})
    unknown: Any = {**row, "starts_in_s": None}
    assert "<b>3rd</b>" in queue_html.waiting_html(row, {"cpu": 1})
    assert "seed 7 · start not known yet</small>" in queue_html.waiting_html(unknown, {"cpu": 1})
    assert "seed 7</small>" in queue_html.waiting_html(unknown, {}), "the page says: no worker"
    lacking: Any = {**unknown, "waits_for": "waits for a worker with <siglip>"}
    assert "waits for a worker with &lt;siglip&gt;" in queue_html.waiting_html(lacking, {"cpu": 1})
    never: Any = {**unknown, "wants": "cuda"}
    assert "waits for a GPU slot; none is available" in queue_html.waiting_html(never, {"cpu": 1})
    assert "seed 7 · start not known yet" in queue_html.waiting_html(never, {"cuda": 2})


def test_a_slot_tells_what_it_uses_and_how_fast_it_trains() -> None:
    used: dict[str, Any] = {"cpu_cores": 0.98, "memory_bytes": 812e6, "memory_total_bytes": 25e9}
    used |= {"gpu_share": None, "gpu_memory_bytes": None, "gpu_memory_total_bytes": None}
    shown = queue_html.slot_html(slot(usage=used, samples_per_s=12345.6))
    assert "CPU 0.98 cores · 812 MB of 25 GB · 12,346 samples/s" in shown
    used |= {"gpu_share": 0.43, "gpu_memory_bytes": 5.1e9, "gpu_memory_total_bytes": 80e9}
    assert "GPU 43 %, 5.1 GB of 80 GB" in queue_html.slot_html(slot(usage=used))
    assert "lb-usage" not in queue_html.slot_html(slot())
