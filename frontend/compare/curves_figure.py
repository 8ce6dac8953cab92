"""The figure of the chosen arms' curves."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, Literal

import plotly.graph_objects as go

from frontend.api.types import ArmCurve
from frontend.charts import figures
from frontend.ui.theme import ArmStyle

Axis = Literal["step", "epoch", "time"]
Lines = Literal["band", "mean", "seeds"]

AXES: Final = {"step": "Step", "epoch": "Epoch", "time": "Training time (s)"}
LINES: Final = {"band": "mean, 95 % band", "mean": "mean", "seeds": "single seeds"}
SMOOTHINGS: Final = ("0", "0.5", "0.8", "0.9", "0.95", "0.98")
"""Choices for the share of the past that a smoothed line keeps at each drawn point."""

FEW_ARMS: Final = 8
"""Up to so many arms have the legend above the chart, and a hover that shows all values."""

MANY_BANDS: Final = 12
"""With more arms, bands hide more than they show."""

Values = Sequence[float | None]


def max_points(runs: int) -> int:
    """Return how many points per curve to read; fewer if there are many runs."""
    return 800 if runs <= 20 else 400 if runs <= 60 else 200


def curves_figure(
    curves: Sequence[ArmCurve],
    names: Sequence[str],
    styles: Mapping[str, ArmStyle],
    *,
    axis: Axis,
    lines: Lines,
    smooth: float,
    log_y: bool,
    label: str,
) -> go.Figure:
    """Return a figure with one line per arm, its mean over seeds, or one line per seed.

    Args:
        curves: one curve per arm.
        names: labels of the arms, in the same order.
        styles: styles by label.
        axis: quantity on the horizontal axis.
        lines: what is drawn of each arm.
        smooth: share of the past kept at each drawn point; 0 changes nothing.
        log_y: whether the vertical axis is logarithmic.
        label: title of the vertical axis.
    """
    drawn = go.Figure()
    for curve, name in zip(curves, names, strict=True):
        x = x_values(curve, axis)
        if lines == "seeds":
            drawn.add_traces(_seed_traces(curve, x, name, styles[name], smooth))
        else:
            mean, low, high = (
                smooth_values(curve[part], smooth) for part in ("mean", "low", "high")
            )
            gaps: Values = [None] * len(x)
            ends = (low, high) if lines == "band" else (gaps, gaps)
            drawn.add_traces(figures.band_traces(x, mean, *ends, styles[name], name))
    figures.apply_layout(drawn, x=AXES[axis], y=label, log_y=log_y)
    drawn.update_layout(
        height=420 if len(curves) <= FEW_ARMS else 560, **legend_layout(len(curves))
    )
    return drawn


def x_values(curve: ArmCurve, axis: Axis) -> list[float]:
    """Return the points' positions on the horizontal axis; an unknown time repeats the last one."""
    if axis == "epoch":
        return [step / (curve["steps_per_epoch"] or 1) for step in curve["steps"]]
    if axis == "time":
        times = curve["elapsed"] or [0.0] * len(curve["steps"])
        return list(accumulate((time or 0.0 for time in times), max))
    return [float(step) for step in curve["steps"]]


def smooth_values(values: Values, keep: float) -> Values:
    """Return the debiased exponential moving average; gaps stay gaps."""
    if not keep:
        return values
    made: list[float | None] = []
    total = weight = 0.0
    for value in values:
        if value is None:
            made.append(None)
            continue
        total = keep * total + (1 - keep) * value
        weight = keep * weight + (1 - keep)
        made.append(total / weight)
    return made


def legend_layout(count: int) -> dict[str, Any]:
    """Return the legend's layout: of many arms at the side, with a hover that shows one value."""
    if count <= FEW_ARMS:
        return {}
    beside = {"orientation": "v", "x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top"}
    return {"legend": {**beside, "font": {"size": 11}}, "hovermode": "closest"}


def caption(
    curves: Sequence[ArmCurve], *, lines: Lines, axis: Axis, smooth: float, meaning: str
) -> str:
    """Return in one line what is drawn, and how the values were processed."""
    what = {
        "band": "Mean over seeds with its 95 % band (Student's t)",
        "mean": "Mean over seeds",
        "seeds": "One line per seed",
    }[lines]
    widths = {curve["width"] for curve in curves if curve["steps"]}
    thinned = ""
    if widths and max(widths) > 1:
        size = f"{max(widths)} steps" if len(widths) == 1 else f"up to {max(widths)} steps"
        thinned = f"; each point is the mean of {size}"
    how = f"; smoothed, {smooth:g} of the past kept at each point" if smooth else "; not smoothed"
    clock = "; time without measuring, mean over seeds" if axis == "time" else ""
    return f"{what}{thinned}{how}{clock}. {meaning}"


def _seed_traces(
    curve: ArmCurve, x: Sequence[float], name: str, style: ArmStyle, smooth: float
) -> list[go.Scatter]:
    made = []
    for index, run in enumerate(curve["runs"]):
        shown = figures.escape_plotly(f"{name}, seed {run['seed']}")
        made.append(
            go.Scatter(
                x=list(x),
                y=list(smooth_values(run["values"], smooth)),
                mode="lines+markers" if len(x) <= figures.MARKED_POINTS else "lines",
                line={"color": style.light, "width": 1.2, "dash": style.dash},
                marker={"color": style.light, "size": 4},
                connectgaps=True,
                hovertemplate=f"%{{y:.4~g}}<extra>{shown}</extra>",
                legendgroup=name,
                showlegend=index == 0,
                name=figures.escape_plotly(name),
            )
        )
    return made
