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
"""Pixels of a figure that names no height of its own."""

FEW: Final = 40
"""Points that are marked one by one, so that a lone first one is seen."""

BAND: Final = "29"
"""Opacity of a band as two hex digits, 16 %."""

Numbers = Sequence[float | None]


def band(  # noqa: PLR0917 - a curve, and whose it is
    x: Sequence[float], mean: Numbers, low: Numbers, high: Numbers, style: ArmStyle, name: str
) -> list[go.Scatter]:
    """A mean with its 95 % band; both follow one entry of the legend.

    Args:
        x: rising.
        mean: as long as x; None leaves a gap.
        low: the interval's lower ends; None where there is no interval, as with one seed.
        high: the interval's upper ends.
        style: the arm's.
        name: the arm's; shown as it is.

    Returns:
        The band, then the line that lies upon it.
    """
    shown = plain(name)
    outline = _outline(x, low, high)
    return [
        go.Scatter(
            x=outline[0],
            y=outline[1],
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=style.light + BAND,
            hoverinfo="skip",
            showlegend=False,
            legendgroup=name,
            name=shown,
        ),
        go.Scatter(
            x=list(x),
            y=list(mean),
            mode="lines+markers" if len(x) <= FEW else "lines",
            line={"color": style.light, "width": 2, "dash": style.dash},
            marker={"color": style.light, "size": 5},
            customdata=[_interval(*ends) for ends in zip(low, high, strict=True)],
            hovertemplate=f"%{{y:.4~g}}%{{customdata}}<extra>{shown}</extra>",
            legendgroup=name,
            name=shown,
        ),
    ]


def layout(figure: go.Figure, *, x: str, y: str, log_y: bool = False) -> go.Figure:
    """Give a figure the look that all charts share; the theme's colours come in the browser.

    Args:
        figure: with its traces; changed in place.
        x: what the horizontal axis shows, with its unit.
        y: what the vertical axis shows, with its unit.
        log_y: draw the vertical axis to a logarithmic scale, if any value is above 0.

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
        title = {"text": plain(text), "standoff": 8, "font": {"size": 12}}
        axis(title=title, zeroline=False, automargin=True)
    shown = extent(figure)
    if log_y and shown and math.isfinite(shown.smallest):
        lift(figure, shown.smallest / 2)
        figure.update_yaxes(type="log", **logarithmic(shown))
    elif shown and has_bands(figure):
        figure.update_yaxes(**linear(shown))
    return figure


def plain(text: str) -> str:
    """A text as Plotly shows it unchanged, for it reads some HTML and templates in names."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("%{", "%&#123;")


def file_name(name: str) -> str:
    """A chart's name as that of a file, without an ending; `chart` if nothing of it is left."""
    return re.sub(r"[^\w.-]+", "-", name, flags=re.ASCII).strip("-.").lower() or "chart"


def _outline(x: Sequence[float], low: Numbers, high: Numbers) -> tuple[Numbers, Numbers]:
    """The band as closed outlines, one for each stretch of two intervals or more."""
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


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({low:.4g} … {high:.4g})"


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
