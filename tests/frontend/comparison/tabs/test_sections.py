"""The results that each tab shows."""

from dataclasses import replace

import pytest

from contract.metrics import METRICS
from frontend.comparison.results_table import Line, Section
from frontend.comparison.tabs.sections import sections_of_tab, tab_of


@pytest.mark.parametrize(
    ("key", "tab"),
    [
        ("dynamics.loss", "live"),
        ("test.geometry.hubness", "geometry"),
        ("audio.geometry.mean_norm", "geometry"),
        ("test.retrieval.map_at_r", "retrieval"),
        ("clustering.ami", "retrieval"),
        ("detail.recall_at_1", "retrieval"),
    ],
)
def test_every_result_has_its_tab(key: str, tab: str) -> None:
    assert tab_of(key) == tab


def test_tables_of_all_tabs_together_hold_every_line_once() -> None:
    lines = tuple(Line(key, key, None, ()) for key in METRICS)
    whole = [Section("all", lines)]
    parts = [sections_of_tab(whole, tab) for tab in ("live", "geometry", "retrieval")]
    assert sorted(line.key for part in parts for one in part for line in one.lines) == sorted(
        METRICS
    )
    assert sections_of_tab(whole, "space") == []


def test_a_tab_names_the_folded_metrics_of_its_own_lines_alone() -> None:
    folded = {"geometry.mean_norm": "Mean norm: 1.", "retrieval.x": "X: as Y."}
    line = Line("retrieval.y", "Y", None, ())
    section = Section("Test split", (line, replace(line, key="geometry.z")), folded)
    [shown] = sections_of_tab([section], "retrieval")
    assert dict(shown.folded) == {"retrieval.x": "X: as Y."}
