"""What a chart's vertical axis shows by itself: all lines, and of the bands as much as leaves the
lines readable. With two seeds an interval can be ten times as high as all else."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final

import plotly.graph_objects as go

ROOM: Final = 0.25
"""Of the lines' height, above and below them, that bands may fill."""

DECADES: Final = 3
"""More of them on a logarithmic axis leave no room for ticks at 2 and 5."""


@dataclass(frozen=True)
class Extent:
    """What the lines of a figure cover; bands are left out."""

    low: float
    high: float
    smallest: float
    """The smallest value above 0; `inf` where there is none."""


def extent(figure: go.Figure) -> Extent | None:
    """The values of a figure's lines; None without a finite one."""
    lines = [trace for trace in figure.data if not _is_band(trace)]
    values = [value for trace in lines for value in _finite(getattr(trace, "y", None))]
    if not values:
        return None
    smallest = min((value for value in values if value > 0), default=math.inf)
    return Extent(min(values), max(values), smallest)


def linear(shown: Extent) -> dict[str, Any]:
    """A linear axis that its bands do not stretch out of all proportion."""
    height = shown.high - shown.low
    room = ROOM * height or 0.1 * abs(shown.high) or 1.0
    low = shown.low - room if shown.low < 0 else max(shown.low - room, -0.04 * height)
    return {"autorangeoptions": {"clipmin": low, "clipmax": shown.high + room}}


def logarithmic(shown: Extent) -> dict[str, Any]:
    """Ticks as plain numbers; Plotly's own name a 0.5 just 5."""
    decades = math.log10(shown.high / shown.smallest) if shown.high > 0 else 0.0
    digits = (1, 2, 5) if decades <= DECADES else (1,)
    ticks = [float(f"{digit}e{power}") for power in range(-12, 13) for digit in digits]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def lift(figure: go.Figure, floor: float) -> None:
    """End bands that reach 0 or below just above it, for a logarithmic axis has no place there."""
    for trace in filter(_is_band, figure.data):
        trace.y = [None if value is None else max(value, floor) for value in trace.y]


def has_bands(figure: go.Figure) -> bool:
    """Whether a trace is filled."""
    return any(map(_is_band, figure.data))


def _is_band(trace: Any) -> bool:
    return bool(getattr(trace, "fill", None)) and trace.y is not None


def _finite(values: Any) -> Iterator[float]:
    for value in () if values is None else values:
        if isinstance(value, Real) and math.isfinite(value):
            yield float(value)
