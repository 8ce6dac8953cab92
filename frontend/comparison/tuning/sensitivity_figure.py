"""How the objective depends on one setting: each trial a dot, the arm as written and the best one
marked, failed trials at the edge."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from frontend.api.types import Sensitivity, SensitivityPoint, Tuning
from frontend.charts import figures
from frontend.comparison.tuning.texts import value_text
from frontend.ui.theme import NEUTRAL, ArmStyle

SYMBOLS: Final = ("circle", "square", "triangle-up", "diamond", "triangle-down", "pentagon", "star")
"""The second sign of an arm, besides its colour."""
_CAPTION: Final = (
    "Each dot is a trial, whose other settings differ too. ○ around: the best; ◇ around: the arm "
    "as it is written; × at the edge: failed."
)
PUBLISHED: Final = "Musgrave et al. 2020"
_GREY: Final = NEUTRAL[0]
_EDGE: Final = 0.08
"""How far beyond the values failed trials are drawn, as a share of their range."""
Point = tuple[Any, float, int]
"""Value of the setting, height, and number of the trial."""


def sensitivity_figure(
    found: Sensitivity,
    search: Tuning,
    styles: Mapping[str, ArmStyle],
    *,
    title: str,
    label: str,
    lower_better: bool = False,
) -> go.Figure:
    """Return the figure.

    Args:
        found: the trials along a setting.
        search: the search that they are of.
        styles: of the arms by name.
        title: of the setting.
        label: of the objective.
        lower_better: whether smaller values are better, so that failed trials stand on top.
    """
    edge = _edge(found, lower_better=lower_better)
    marked = {arm["name"]: (arm["best"], arm["default"]) for arm in search["arms"]}
    drawn = go.Figure()
    used: set[str] = set()
    for place, arm in enumerate(found["arms"]):
        style, symbol = styles[arm["name"]], SYMBOLS[place % len(SYMBOLS)]
        known = [
            (_place(point["x"]), point["value"], point["trial"])
            for point in arm["points"]
            if point["value"] is not None
        ]
        failed = [_failed(point, edge) for point in arm["points"] if point["state"] == "failed"]
        drawn.add_trace(_dots(known, arm["name"], style, symbol))
        if failed:
            drawn.add_trace(_crosses(failed, arm["name"], style))
            used.add("failed")
        best, default = marked.get(arm["name"], (None, None))
        for number, mark in ((best, "best"), (default, "as written")):
            own = [point for point in known if point[2] == number]
            if own:
                drawn.add_trace(_ring(own, mark, style, arm["name"]))
                used.add(mark)
        if arm["published"] is not None:
            drawn.add_trace(_published(arm["published"], _extent(found), style, arm["name"]))
            used.add(PUBLISHED)
    figures.apply_layout(drawn, x=title, y=f"{label}, validation")
    drawn.update_layout(height=360, hovermode="closest", showlegend=True)
    _shape_axis(drawn, found)
    for mark in ("best", "as written", "failed", PUBLISHED):
        if mark in used:
            drawn.add_trace(_legend(mark))
    return drawn


def caption(found: Sensitivity) -> str:
    """Return in a line what the figure shows."""
    if all(arm["published"] is None for arm in found["arms"]):
        return _CAPTION
    return (
        f"{_CAPTION} A dotted line: what {PUBLISHED} found best on these data, with another "
        "network and search."
    )


def _shape_axis(drawn: go.Figure, found: Sensitivity) -> None:
    values = [point["x"] for arm in found["arms"] for point in arm["points"]]
    values += [arm["published"] for arm in found["arms"] if arm["published"] is not None]
    numbers = [value for value in values if isinstance(value, int | float)]
    if len(numbers) < len(values):
        drawn.update_xaxes(type="category")
    elif numbers and found["log"] and min(numbers) > 0:
        extent = figures.Extent(min(numbers), max(numbers), min(numbers))
        drawn.update_xaxes(type="log", **figures.log_axis(extent))


def _edge(found: Sensitivity, *, lower_better: bool) -> float:
    """Return the height at which failed trials are drawn."""
    low, high = _extent(found)
    room = _EDGE * (high - low) or 0.05 * abs(high) or 0.05
    return high + room if lower_better else low - room


def _extent(found: Sensitivity) -> tuple[float, float]:
    """Return the smallest and the largest value; 0 without any."""
    values = [
        point["value"]
        for arm in found["arms"]
        for point in arm["points"]
        if point["value"] is not None
    ]
    return min(values, default=0.0), max(values, default=0.0)


def _failed(point: SensitivityPoint, edge: float) -> Point:
    return _place(point["x"]), edge, point["trial"]


def _place(value: float | str) -> float | str:
    return value.replace("_", " ") if isinstance(value, str) else value


def _dots(points: Sequence[Point], name: str, style: ArmStyle, symbol: str) -> go.Scatter:
    return go.Scatter(
        **_columns(points, name),
        mode="markers",
        marker={"color": style.light, "size": 8, "symbol": symbol, "opacity": 0.8},
        hovertemplate="%{text}: %{y:.4~g}<extra></extra>",
        name=figures.escape_plotly(name),
        legendgroup=name,
    )


def _crosses(points: Sequence[Point], name: str, style: ArmStyle) -> go.Scatter:
    return go.Scatter(
        **_columns(points, name),
        mode="markers",
        marker={"color": style.light, "size": 9, "symbol": "x-thin-open", "line": {"width": 2}},
        hovertemplate="%{text}: failed<extra></extra>",
        showlegend=False,
        legendgroup=name,
        name="failed",
    )


def _ring(points: Sequence[Point], mark: str, style: ArmStyle, name: str) -> go.Scatter:
    return go.Scatter(
        **_columns(points, name),
        mode="markers",
        marker={"color": style.light, **_MARKS[mark]},
        hoverinfo="skip",
        showlegend=False,
        legendgroup=name,
        name=mark,
    )


def _published(x: float, extent: tuple[float, float], style: ArmStyle, name: str) -> go.Scatter:
    shown = figures.escape_plotly(name)
    return go.Scatter(
        x=[x, x],
        y=list(extent),
        mode="lines",
        line={"color": style.light, "dash": "dot", "width": 1.5},
        hovertemplate=f"{shown}: best in {PUBLISHED}, {value_text(x)}<extra></extra>",
        showlegend=False,
        legendgroup=name,
        name=PUBLISHED,
    )


_MARKS: Final[Mapping[str, dict[str, Any]]] = {
    "best": {"symbol": "circle-open", "size": 17, "line": {"width": 2}},
    "as written": {"symbol": "diamond-open", "size": 18, "line": {"width": 2}},
    "failed": {"symbol": "x-thin-open", "size": 9, "line": {"width": 2}},
}


def _legend(mark: str) -> go.Scatter:
    """Return an entry of the legend without points."""
    if mark == PUBLISHED:
        line = {"color": _GREY, "dash": "dot", "width": 1.5}
        return go.Scatter(x=[None], y=[None], mode="lines", line=line, name=mark)
    return go.Scatter(
        x=[None], y=[None], mode="markers", marker={"color": _GREY, **_MARKS[mark]}, name=mark
    )


def _columns(points: Sequence[Point], name: str) -> dict[str, Any]:
    shown = figures.escape_plotly(name)
    return {
        "x": [x for x, _, _ in points],
        "y": [y for _, y, _ in points],
        "text": [
            f"{shown}, trial {number}, {figures.escape_plotly(value_text(x))}"
            for x, _, number in points
        ],
    }
