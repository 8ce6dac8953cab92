"""The pure parts of the tabs: bars by class, distances by epoch, which table stands where."""

from typing import Any

import pytest

from contract.metrics import METRICS
from frontend.comparison.results_table import Line, Section
from frontend.comparison.tabs.sections import sections_of_tab, tab_of
from frontend.comparison.tabs.snapshot_charts import (
    class_bars,
    class_values,
    distance_histograms,
    shown_classes,
)
from frontend.ui.theme import arm_styles

STYLES = arm_styles(["one", "two"])


def arm(name: str, *rows: tuple[int, float | None]) -> dict[str, Any]:
    return {"arm": name, "classes": [{"label": label, "accuracy": value} for label, value in rows]}


def test_bars_are_paired_by_class_and_an_unknown_value_has_none() -> None:
    found = class_values(
        [arm("one", (0, 0.5), (1, None)), arm("two", (0, 0.75), (1, 1.0))], "accuracy"
    )
    assert found == {"one": {0: 0.5}, "two": {0: 0.75, 1: 1.0}}
    figure = class_bars(found, STYLES, lambda label: f"class {label}", y="accuracy")
    assert [list(trace.x) for trace in figure.data] == [["class 0", "class 1"]] * 2
    assert [list(trace.y) for trace in figure.data] == [[0.5, None], [0.75, 1.0]]
    looks = {(trace.marker.color, trace.marker.pattern.shape) for trace in figure.data}
    assert len({color for color, _ in looks}) == len({shape for _, shape in looks}) == 2


def test_of_many_classes_those_are_shown_in_which_the_arms_differ_most() -> None:
    one = dict.fromkeys(range(100), 0.5)
    two = {label: 0.5 + label / 1000 for label in range(100)}
    assert shown_classes({"one": one, "two": two}, most=3) == [97, 98, 99]
    assert shown_classes({"one": one}, most=100) == list(range(100))


def histogram(width: float, *counts: int) -> dict[str, Any]:
    edges = [width * place for place in range(len(counts) + 1)]
    return {"edges": edges, "positive": list(counts), "negative": list(reversed(counts))}


def test_distances_are_densities_and_the_slider_shows_one_epoch() -> None:
    arms = [
        {"arm": "one", "epochs": [0, 5], "histograms": [histogram(1, 3, 1), histogram(1, 1, 1)]},
        {"arm": "two", "epochs": [0, 3, 5], "histograms": [histogram(2, 1, 1)] * 3},
    ]
    figure = distance_histograms(arms)
    assert len(figure.data) == 2 * 2 * 2, "epoch 3 is not the first arm's"
    assert list(figure.data[0].y) == [0.75, 0.25]
    assert list(figure.data[2].y) == [0.25, 0.25], "bins twice as wide hold half the density"
    assert [trace.visible for trace in figure.data] == [False] * 4 + [True] * 4
    assert figure.layout.xaxis.anchor == "y2", "the shared axis stands below the lowest arm"
    [slider] = figure.layout.sliders
    assert [step.label for step in slider.steps] == ["0", "5"]
    assert list(slider.steps[0].args[0]["visible"]) == [True] * 4 + [False] * 4


def test_a_histogram_of_nothing_is_flat() -> None:
    empty = {"edges": [0.0, 1.0], "positive": [0], "negative": [4]}
    figure = distance_histograms([{"arm": "one", "epochs": [0], "histograms": [empty]}])
    assert [list(trace.y) for trace in figure.data] == [[0.0], [1.0]]


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
