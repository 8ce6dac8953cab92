"""The budget curve: the best validation value that a number of trials leads to, for each arm."""

from collections.abc import Mapping
from typing import Final

import plotly.graph_objects as go

from frontend.api.types import TunedArm, Tuning
from frontend.charts import figures
from frontend.comparison.tuning.texts import trial_at
from frontend.ui.numbers import format_number
from frontend.ui.theme import ArmStyle

NAME: Final = "Value of the budget"
_RANDOM: Final = (
    "Expected best validation value after n random trials; the band holds 80 % of searches of n."
)
_TPE: Final = "Best validation value of the first n trials."
_WRITTEN: Final = " ◇: the arm as it is written."


def has_curve(found: Tuning) -> bool:
    """Return whether there is anything to draw."""
    return any(arm["curve"] for arm in found["arms"])


def caption(found: Tuning) -> str:
    """Return in a line what the figure shows."""
    said = _TPE if found["tuning"]["sampler"] == "tpe" else _RANDOM
    return said + (_WRITTEN if any(_written(arm) is not None for arm in found["arms"]) else "")


def budget_figure(found: Tuning, styles: Mapping[str, ArmStyle], label: str) -> go.Figure:
    """Return the figure.

    Args:
        found: the search; at least one arm has a curve.
        styles: of the arms by name.
        label: of the objective.
    """
    drawn = go.Figure()
    for arm in found["arms"]:
        style = styles[arm["name"]]
        points = arm["curve"]
        drawn.add_traces(
            figures.band_traces(
                [point["n"] for point in points],
                [point["value"] for point in points],
                [point["low"] for point in points],
                [point["high"] for point in points],
                style,
                arm["name"],
            )
        )
        written = _written(arm)
        if written is not None:
            drawn.add_trace(_diamond(_place(found), written, style, arm["name"]))
    figures.apply_layout(drawn, x="trials of each arm", y=f"{label}, validation")
    drawn.update_layout(height=340, showlegend=True)
    most = max(point["n"] for arm in found["arms"] for point in arm["curve"])
    left = _place(found) if any(_written(arm) is not None for arm in found["arms"]) else 1
    drawn.update_xaxes(range=[left - 0.03 * most - 0.2, 1.02 * most + 0.2])
    if most <= 10:
        drawn.update_xaxes(dtick=1)
    return drawn


def _written(arm: TunedArm) -> float | None:
    """Return the value of the arm as it is written."""
    trial = trial_at(arm, arm["default"])
    return None if trial is None else trial["value"]


def _place(found: Tuning) -> int:
    """Return where the arm as it is written stands: random trials follow it, while with TPE it is
    the first of the trials that the curve is of."""
    return 1 if found["tuning"]["sampler"] == "tpe" else 0


def _diamond(place: int, value: float, style: ArmStyle, name: str) -> go.Scatter:
    shown = figures.escape_plotly(name)
    return go.Scatter(
        x=[place],
        y=[value],
        mode="markers",
        marker={"color": style.light, "size": 11, "symbol": "diamond-open", "line": {"width": 2}},
        hovertemplate=f"as written: {format_number(value)}<extra>{shown}</extra>",
        legendgroup=name,
        showlegend=False,
    )
