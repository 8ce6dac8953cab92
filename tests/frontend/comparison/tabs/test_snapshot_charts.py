"""Figures of a snapshot: bars by class, and histograms of distances by epoch."""

from typing import Any

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


def test_class_names_that_are_numbers_are_in_their_order() -> None:
    """The labels of class folders are in the order of letters."""
    names = ["1", "10", "2"]
    found = class_values([arm("one", *((label, label / 10) for label in range(3)))], "accuracy")
    [bars] = class_bars(found, STYLES, lambda label: names[label], y="accuracy").data
    assert list(bars.x) == ["1", "2", "10"]
    assert list(bars.y) == [0.0, 0.2, 0.1]


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
