"""What stands in and under a report's chart of the loss: the trivial loss, and the share of the
loss's weight that pulls.

On the pages `frontend/live/js/trivial.js` draws and says the same.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

import plotly.graph_objects as go

from frontend.api.types import ArmCurve
from frontend.charts.figures import escape_plotly
from frontend.ui.numbers import short_number
from frontend.ui.theme import NEUTRAL, ArmStyle

TRIVIAL: Final = "dynamics.trivial_loss"
"""Metric: the loss when all embeddings coincide."""
PULL: Final = "dynamics.pull_share"
"""Metric: the share of the loss's weight that pulls."""
ALIKE: Final = 0.01
"""Values closer than this, as a share of the first, are one line."""
REACH: Final = 2.0
"""Lines up to so many times as high as the highest point are drawn; others would flatten the
curves."""
_GREY: Final = NEUTRAL[0]


@dataclass(frozen=True)
class Line:
    """A trivial loss, and the arms that have it."""

    value: float
    arms: tuple[str, ...]


def arm_means(curves: Sequence[ArmCurve]) -> dict[str, float]:
    """Return the mean over all points by arm: batches differ a little in their classes.

    Arms without a value are left out.
    """
    known = {
        curve["arm"]: [value for value in curve["mean"] if value is not None] for curve in curves
    }
    return {arm: fmean(values) for arm, values in known.items() if values}


def lines(trivial: Mapping[str, float]) -> list[Line]:
    """Return one line for each value above 0 that one or several arms have."""
    found: list[Line] = []
    for arm, value in trivial.items():
        if value <= 0:
            continue
        for place, line in enumerate(found):
            if abs(line.value - value) <= ALIKE * line.value:
                found[place] = Line(line.value, (*line.arms, arm))
                break
        else:
            found.append(Line(value, (arm,)))
    return found


def traces(
    shown: Sequence[Line], width: float, highest: float, styles: Mapping[str, ArmStyle]
) -> list[go.Scatter]:
    """Return the lines that are near enough, each with an entry in the legend.

    Args:
        shown: the lines.
        width: the largest x of the curves.
        highest: the largest value of the curves.
        styles: styles of the chart's arms by name; a line that several arms share is grey.
    """
    return [
        go.Scatter(
            x=[0, width],
            y=[line.value, line.value],
            mode="lines",
            line={"color": _color(line, styles), "width": 1, "dash": "dash"},
            hoverinfo="skip",
            name=_name(line, len(styles)),
        )
        for line in shown
        if line.value <= REACH * highest
    ]


def sentence(trivial: Mapping[str, float], pull: Mapping[str, float], arms: int) -> str:
    """Return what the trivial losses are, and what share of the weight pulls; "" without either.

    Args:
        trivial: trivial loss by arm.
        pull: share by arm.
        arms: number of arms in the chart.
    """
    parts = []
    if trivial:
        losses = {arm: short_number(value) for arm, value in trivial.items()}
        parts.append(f"Trivial loss (all embeddings in one point): {_listed(losses, arms)}.")
    if pull:
        shares = {arm: f"{short_number(round(100 * value, 1))} %" for arm, value in pull.items()}
        parts.append(f"Share of the loss's weight that pulls: {_listed(shares, arms)}.")
    return " ".join(parts)


def _listed(texts: Mapping[str, str], arms: int) -> str:
    """Return each text once, with the arms that have it unless all have."""
    alike: dict[str, list[str]] = {}
    for arm, text in texts.items():
        alike.setdefault(text, []).append(arm)
    return ", ".join(
        text if len(names) == arms else f"{text} ({', '.join(names)})"
        for text, names in alike.items()
    )


def _color(line: Line, styles: Mapping[str, ArmStyle]) -> str:
    return styles[line.arms[0]].light if len(line.arms) == 1 else _GREY


def _name(line: Line, arms: int) -> str:
    if len(line.arms) == arms:
        return "trivial loss"
    named = f"{len(line.arms)} arms" if len(line.arms) > 2 else ", ".join(line.arms)
    return f"trivial loss, {escape_plotly(named)}"
