"""Figures that all pages and reports draw alike."""

import math
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from frontend.charts import figures
from frontend.charts.figures import file_name
from frontend.ui.theme import arm_style

STYLE = arm_style(1)


def drawn(low: list[Any], high: list[Any], *, log_y: bool = False) -> go.Figure:
    mean = [1.0] * len(low)
    figure = go.Figure(figures.band_traces(range(len(low)), mean, low, high, STYLE, "arm"))
    return figures.apply_layout(figure, x="epoch", y="loss", log_y=log_y)


def test_a_band_is_an_outline_and_a_line_under_one_entry_of_the_legend() -> None:
    area, line = figures.band_traces([0, 1, 2], [1, 2, 3], [0, 1, 2], [2, 3, 4], STYLE, "arm")
    assert list(area.x) == [0, 1, 2, 2, 1, 0]
    assert list(area.y) == [2, 3, 4, 2, 1, 0]
    assert (area.fillcolor, line.line.color) == (f"{STYLE.light}29", STYLE.light)
    assert line.line.dash == STYLE.dash, "not by colour alone"
    assert (area.showlegend, area.legendgroup) == (False, line.legendgroup)


def test_a_band_has_gaps_where_there_is_no_interval() -> None:
    ends = [0.0, 1.0, None, 3.0, None, 5.0, 6.0]
    area, line = figures.band_traces(range(7), ends, ends, ends, STYLE, "arm")
    assert list(area.x) == [0, 1, 1, 0, None, 5, 6, 6, 5], "a lone interval has no area"
    assert list(line.customdata)[2] == ""
    assert list(line.customdata)[5] == " (5 … 5)"


def test_one_seed_has_a_line_and_no_band() -> None:
    area, line = figures.band_traces([0, 1], [1, 2], [None, None], [None, None], STYLE, "arm")
    assert (len(area.x), list(line.y)) == (0, [1, 2])


def test_few_points_are_marked_and_many_are_not() -> None:
    few, many = (
        figures.band_traces(range(n), [0] * n, [0] * n, [0] * n, STYLE, "arm")[1].mode
        for n in (40, 41)
    )
    assert (few, many) == ("lines+markers", "lines")


@pytest.mark.parametrize("name", ["<b>x</b>", "a & b", "%{y}", "plain"])
def test_a_name_is_no_markup_and_no_template(name: str) -> None:
    _, line = figures.band_traces([0], [1], [0], [2], STYLE, name)
    assert "<b>" not in line.name
    assert "%{y}" not in line.name
    assert line.hovertemplate.endswith(f"<extra>{figures.escape_plotly(name)}</extra>")


def test_a_wide_band_does_not_flatten_the_lines() -> None:
    options = drawn([-9.0] * 3, [11.0] * 3).layout.yaxis.autorangeoptions
    assert options.clipmax < 2
    assert options.clipmin > -1


def test_bars_keep_their_axis() -> None:
    figure = figures.apply_layout(go.Figure(go.Bar(x=["a"], y=[0.9])), x="", y="")
    assert figure.layout.yaxis.autorangeoptions.clipmin is None


def test_a_logarithmic_axis_has_plain_ticks_and_bands_that_end_above_0() -> None:
    figure = drawn([-9.0] * 3, [11.0] * 3, log_y=True)
    assert figure.layout.yaxis.type == "log"
    assert {"0.5", "1", "2"} <= set(figure.layout.yaxis.ticktext)
    assert min(figure.data[0].y) == 0.5


def test_nothing_above_0_keeps_a_linear_axis() -> None:
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0.0, None]))
    assert figures.apply_layout(figure, x="", y="", log_y=True).layout.yaxis.type is None


def test_an_extent_leaves_out_bands_and_values_that_are_not_finite() -> None:
    figure = drawn([-5.0], [5.0])
    figure.add_scatter(x=[0, 1, 2], y=np.array([np.nan, 3.0, -2.0], dtype=np.float32))
    shown = figures.line_extent(figure)
    assert shown == figures.Extent(-2.0, 3.0, 1.0)
    assert figures.line_extent(go.Figure()) is None
    flat = figures.line_extent(go.Figure(go.Scatter(y=[0])))
    assert flat is not None
    assert math.isinf(flat.smallest)


@pytest.mark.parametrize(
    ("name", "file"),
    [("Recall@1 (test)", "recall-1-test"), ("../../x", "x"), ("…", "chart"), ("AMI", "ami")],
)
def test_a_charts_name_is_a_files(name: str, file: str) -> None:
    assert file_name(name) == file
