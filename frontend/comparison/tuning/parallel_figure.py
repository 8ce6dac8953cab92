"""The trials of one arm as lines across all settings that it searched, and the objective."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from frontend.api.types import Trial, TunedArm
from frontend.charts import figures
from frontend.comparison.tuning.texts import value_text
from frontend.ui.numbers import short_number
from frontend.ui.theme import ArmStyle

NAME: Final = "Trials across settings"
BEST_SHARE: Final = 0.25
"""Share of the complete trials that is drawn in full colour."""
CAPTION: Final = (
    "One arm at a time, as each has its own space. Each line is a trial; the best quarter in full "
    "colour, the best one thick. Each axis has its own scale, whose ends are printed; the last one "
    "is the objective."
)
_FAINT: Final = "40"
"""Opacity of the other lines, 25 %, as two hex digits."""


@dataclass(frozen=True)
class Axis:
    """One vertical axis."""

    title: str
    values: list[float | None]
    """Of each trial, from 0 at the bottom to 1 on top."""
    low: str
    """Text at the bottom."""
    high: str


def drawable(arm: TunedArm) -> list[Trial]:
    """Return the complete trials that name settings, the worst first: the arm as it is written has
    none."""
    known = [trial for trial in arm["trials"] if trial["value"] is not None and trial["params"]]
    return sorted(known, key=_value)


def parallel_figure(
    arm: TunedArm,
    titles: Mapping[str, str],
    style: ArmStyle,
    *,
    label: str,
    lower_better: bool = False,
) -> go.Figure:
    """Return the figure.

    Args:
        arm: with two or more trials that can be drawn.
        titles: of the searched settings, by path.
        style: of the arm.
        label: of the objective.
        lower_better: whether smaller values are better.
    """
    trials = drawable(arm)
    if lower_better:
        trials.reverse()  # the best ones are drawn last, on top
    axes = [_setting_axis(trials, path, arm, titles.get(path, path)) for path in arm["space"]]
    axes.append(_number_axis([_value(trial) for trial in trials], label, log=False))
    best = max(1, round(BEST_SHARE * len(trials)))
    others, top = range(len(trials) - best), range(len(trials) - best, len(trials) - 1)
    drawn = go.Figure()
    drawn.add_trace(_lines(axes, others, style.light + _FAINT, 1.2, "other trials"))
    if top:
        drawn.add_trace(_lines(axes, top, style.light, 1.6, "best quarter"))
    winner = trials[-1]["number"]
    drawn.add_trace(_lines(axes, [len(trials) - 1], style.light, 3.5, f"the best, trial {winner}"))
    figures.apply_layout(drawn, x="", y="")
    drawn.update_layout(height=330, hovermode=False, showlegend=True)
    drawn.update_layout(margin={"l": 24, "r": 24, "t": 8, "b": 48})
    _draw_axes(drawn, axes)
    return drawn


def _draw_axes(drawn: go.Figure, axes: Sequence[Axis]) -> None:
    last = len(axes) - 1
    drawn.update_xaxes(
        title=None,
        range=[-0.35, last + 0.35],
        tickmode="array",
        tickvals=list(range(len(axes))),
        ticktext=[f"<br>{figures.escape_plotly(axis.title)}" for axis in axes],
        showgrid=True,
        gridwidth=2,
    )
    drawn.update_yaxes(title=None, range=[-0.12, 1.12], showticklabels=False, showgrid=False)
    for at, axis in enumerate(axes):
        for y, text in ((-0.07, axis.low), (1.07, axis.high)):
            drawn.add_annotation(
                x=at, y=y, text=figures.escape_plotly(text), showarrow=False, font={"size": 11}
            )


def _lines(
    axes: Sequence[Axis], rows: Sequence[int], color: str, width: float, name: str
) -> go.Scatter:
    """Return the lines of some trials as one trace, with gaps between them."""
    x: list[float | None] = []
    y: list[float | None] = []
    for row in rows:
        x += [*range(len(axes)), None]
        y += [*(axis.values[row] for axis in axes), None]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": color, "width": width}, name=name)


def _setting_axis(trials: Sequence[Trial], path: str, arm: TunedArm, title: str) -> Axis:
    values = [trial["params"].get(path) for trial in trials]
    space = arm["space"][path]
    choices = space.get("choices")
    if choices is not None:
        order = _ordered(choices)
        places: list[float | None] = [
            order.index(value) / max(1, len(order) - 1) if value in order else None
            for value in values
        ]
        return Axis(title, places, value_text(order[0]), value_text(order[-1]))
    numbers = [float(value) if isinstance(value, int | float) else None for value in values]
    ends = (float(space["low"]), float(space["high"]))
    return _number_axis(numbers, title, log=bool(space.get("log")), ends=ends)


def _number_axis(
    values: Sequence[float | None],
    title: str,
    *,
    log: bool,
    ends: tuple[float, float] | None = None,
) -> Axis:
    known = [value for value in values if value is not None]
    low, high = ends or (min(known), max(known))
    scale = math.log if log and low > 0 else float

    def place(value: float) -> float:
        width = scale(high) - scale(low)
        return (scale(value) - scale(low)) / width if width else 0.5

    places = [None if value is None else place(value) for value in values]
    shown = value_text if ends else short_number
    return Axis(title, places, shown(low), shown(high))


def _ordered(choices: Sequence[Any]) -> list[Any]:
    """Return choices as they stand on an axis: numbers rising, names as they are given."""
    numbers = all(isinstance(one, int | float) for one in choices)
    return sorted(choices) if numbers else list(choices)


def _value(trial: Trial) -> float:
    return trial["value"] or 0.0
