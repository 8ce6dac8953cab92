"""The chosen arms' curves in one figure."""

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
"""Shares of the past that a smoothed line keeps at each drawn point."""

FEW_ARMS: Final = 8
"""Arms whose legend stands above the chart, and whose values are all told at once."""

MANY_BANDS: Final = 12
"""Arms beyond which bands hide more than they show."""

Values = Sequence[float | None]


def max_points(runs: int) -> int:
    """How finely curves of so many runs are read: what a screen shows of few, enough of many."""
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
    """One line an arm, its mean over seeds, or a line a seed.

    Args:
        curves: an arm each.
        names: the arms', in the same order.
        styles: by name.
        axis: what runs along x.
        lines: what is drawn of each arm.
        smooth: share of the past kept at each drawn point; 0 changes nothing.
        log_y: a logarithmic scale.
        label: of the vertical axis.
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
    """Where the points lie on the horizontal axis; a time that is not known stays at the last."""
    if axis == "epoch":
        return [step / (curve["steps_per_epoch"] or 1) for step in curve["steps"]]
    if axis == "time":
        times = curve["elapsed"] or [0.0] * len(curve["steps"])
        return list(accumulate((time or 0.0 for time in times), max))
    return [float(step) for step in curve["steps"]]


def smooth_values(values: Values, keep: float) -> Values:
    """The exponential moving average, debiased; gaps stay gaps."""
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
    """Of few arms above the chart; of many beside it, and a hover that tells one of them."""
    if count <= FEW_ARMS:
        return {}
    beside = {"orientation": "v", "x": 1.01, "xanchor": "left", "y": 1, "yanchor": "top"}
    return {"legend": {**beside, "font": {"size": 11}}, "hovermode": "closest"}


def caption(
    curves: Sequence[ArmCurve], *, lines: Lines, axis: Axis, smooth: float, meaning: str
) -> str:
    """One line: what is drawn, and what was done to the values."""
    what = {
        "band": "Mean over seeds with its 95 % band (Student's t)",
        "mean": "Mean over seeds",
        "seeds": "A line a seed",
    }[lines]
    widths = {curve["width"] for curve in curves if curve["steps"]}
    thinned = ""
    if widths and max(widths) > 1:
        size = f"{max(widths)} steps" if len(widths) == 1 else f"up to {max(widths)} steps"
        thinned = f"; a point is the mean of {size}"
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
