"""Figures that all pages and reports draw alike: bands, layout, axes and file names.

No Streamlit here: the command line draws reports without it.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, Final

import plotly.graph_objects as go

from frontend.ui.theme import ArmStyle

HEIGHT: Final = 300
"""Default height of a figure in pixels."""

MARKED_POINTS: Final = 40
"""A line of at most so many points marks each of them, so that a single point can be seen."""

BAND_OPACITY: Final = "29"
"""Opacity of a band, 16 %, as two hex digits."""

Numbers = Sequence[float | None]


def band_traces(  # noqa: PLR0917 - a curve, and whose it is
    x: Sequence[float], mean: Numbers, low: Numbers, high: Numbers, style: ArmStyle, name: str
) -> list[go.Scatter]:
    """Return the traces of a mean with its 95 % band, with one entry in the legend for both.

    Args:
        x: rising values.
        mean: as long as x; None leaves a gap.
        low: lower ends of the intervals; None where there is no interval, as with one seed.
        high: upper ends of the intervals.
        style: colour and dash of the arm.
        name: name of the arm, shown unchanged.

    Returns:
        The band, then the line on top of it.
    """
    shown = escape_plotly(name)
    outline = _band_outline(x, low, high)
    return [
        go.Scatter(
            x=outline[0],
            y=outline[1],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=style.light + BAND_OPACITY,
            hoverinfo="skip",
            showlegend=False,
            legendgroup=name,
            name=shown,
        ),
        go.Scatter(
            x=list(x),
            y=list(mean),
            mode="lines+markers" if len(x) <= MARKED_POINTS else "lines",
            line={"color": style.light, "width": 2, "dash": style.dash},
            marker={"color": style.light, "size": 5},
            customdata=[_interval_text(*ends) for ends in zip(low, high, strict=True)],
            hovertemplate=f"%{{y:.4~g}}%{{customdata}}<extra>{shown}</extra>",
            legendgroup=name,
            name=shown,
        ),
    ]


def apply_layout(figure: go.Figure, *, x: str, y: str, log_y: bool = False) -> go.Figure:
    """Give a figure the layout that all charts share; the browser adds the theme's colours.

    Args:
        figure: a figure with its traces; changed in place.
        x: title of the horizontal axis, with the unit.
        y: title of the vertical axis, with the unit.
        log_y: whether the vertical axis is logarithmic; used only if any value is above 0.

    Returns:
        The same figure.
    """
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 56, "r": 12, "t": 8, "b": 42},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "xanchor": "left"},
    )
    for axis, text in ((figure.update_xaxes, x), (figure.update_yaxes, y)):
        title = {"text": escape_plotly(text), "standoff": 8, "font": {"size": 12}}
        axis(title=title, zeroline=False, automargin=True)
    shown = line_extent(figure)
    if log_y and shown and math.isfinite(shown.smallest):
        raise_bands(figure, shown.smallest / 2)
        figure.update_yaxes(type="log", **log_axis(shown))
    elif shown and has_bands(figure):
        figure.update_yaxes(**linear_axis(shown))
    return figure


def escape_plotly(text: str) -> str:
    """Escape a text for Plotly, which would read some HTML and templates in names."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("%{", "%&#123;")


def file_name(name: str) -> str:
    """Return a chart's name as a file name without ending; `chart` if no character is usable."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.").lower() or "chart"


def _band_outline(x: Sequence[float], low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
    """Return a band as closed outlines, one for each stretch of two or more intervals."""
    along: list[float | None] = []
    ends: list[float | None] = []
    stretch: list[tuple[float, float, float]] = []
    for at, below, above in [*zip(x, low, high, strict=True), (0.0, None, None)]:
        if below is not None and above is not None:
            stretch.append((at, below, above))
            continue
        if len(stretch) > 1:
            if along:
                along.append(None)
                ends.append(None)
            along += [point[0] for point in (*stretch, *reversed(stretch))]
            ends += [point[2] for point in stretch] + [point[1] for point in reversed(stretch)]
        stretch = []
    return along, ends


def _interval_text(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({low:.4g} … {high:.4g})"


BAND_MARGIN: Final = 0.25
"""Space for bands above and below the lines, as a share of the height of the lines.

With few seeds an interval can be many times as high as all lines; the axis then shows only as much
of the bands as leaves the lines readable.
"""

MAX_DECADES_OF_TICKS: Final = 3
"""A logarithmic axis of more decades has no room for ticks at 2 and 5."""


@dataclass(frozen=True)
class Extent:
    """The range that the lines of a figure cover, without their bands."""

    low: float
    high: float
    smallest: float
    """The smallest value above 0; `inf` if there is none."""


def line_extent(figure: go.Figure) -> Extent | None:
    """Return the range of a figure's lines; None without a finite value."""
    lines = [trace for trace in figure.data if not _is_band(trace)]
    values = [value for trace in lines for value in _finite_values(getattr(trace, "y", None))]
    if not values:
        return None
    smallest = min((value for value in values if value > 0), default=math.inf)
    return Extent(min(values), max(values), smallest)


def linear_axis(shown: Extent) -> dict[str, Any]:
    """Return the settings of a linear axis that bands do not stretch too far."""
    height = shown.high - shown.low
    room = BAND_MARGIN * height or 0.1 * abs(shown.high) or 1.0
    low = shown.low - room if shown.low < 0 else max(shown.low - room, -0.04 * height)
    return {"autorangeoptions": {"clipmin": low, "clipmax": shown.high + room}}


def log_axis(shown: Extent) -> dict[str, Any]:
    """Return the settings of a logarithmic axis with plain numbers; Plotly would label 0.5 as 5."""
    decades = math.log10(shown.high / shown.smallest) if shown.high > 0 else 0.0
    digits = (1, 2, 5) if decades <= MAX_DECADES_OF_TICKS else (1,)
    ticks = [float(f"{digit}e{power}") for power in range(-12, 13) for digit in digits]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def raise_bands(figure: go.Figure, floor: float) -> None:
    """Raise the values of bands to at least `floor`, as a logarithmic axis has no place for 0."""
    for trace in filter(_is_band, figure.data):
        trace.y = [None if value is None else max(value, floor) for value in trace.y]


def has_bands(figure: go.Figure) -> bool:
    """Return whether the figure has a band."""
    return any(map(_is_band, figure.data))


def _is_band(trace: Any) -> bool:
    return bool(getattr(trace, "fill", None)) and trace.y is not None


def _finite_values(values: Any) -> Iterator[float]:
    for value in () if values is None else values:
        if isinstance(value, Real) and math.isfinite(value):
            yield float(value)
