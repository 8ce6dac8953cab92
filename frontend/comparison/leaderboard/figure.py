"""The figure of one metric: means of all arms with intervals, the best on top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from frontend.api.types import LeaderboardArm, LeaderboardMetric
from frontend.charts import figures
from frontend.comparison.leaderboard.texts import ordered, state_text
from frontend.comparison.results_table import REFERENCE_TITLES, format_number
from frontend.ui.theme import COLORS, ArmStyle

ROW_HEIGHT: Final = 34
"""Height of one arm in pixels."""
LONGEST_NAME: Final = 34
"""Characters of an arm's name that fit beside the figure."""
UNTRAINED: Final = "untrained network (validation)"
_GREY: Final = COLORS[-1][0]
_DASHES: Final = {UNTRAINED: "dot", "raw backbone": "dash", "chance": "dashdot"}
_PADDING: Final = 0.06
"""Room left and right of the arms, as a share of their width."""
_FARTHEST: Final = 1.0
"""How far beyond the arms a reference line may lie to be drawn, in widths of the arms: farther ones
would press the arms together, and are named in the caption instead."""


@dataclass(frozen=True)
class Reference:
    """A value to compare the arms with."""

    title: str
    value: float


def references(metric: LeaderboardMetric) -> list[Reference]:
    """Return the values of untrained network, raw backbone and chance that were measured."""
    named = {UNTRAINED: metric["untrained"]}
    known = {"raw_backbone": metric["raw_backbone"], "chance": metric["chance"]}
    named |= {title: known[name] for name, title in REFERENCE_TITLES.items()}
    return [Reference(title, value) for title, value in named.items() if value is not None]


def leaderboard_figure(metric: LeaderboardMetric, styles: Mapping[str, ArmStyle]) -> go.Figure:
    """Return the figure: a row an arm, a dot for its mean, a bar for its interval, dots for runs.

    Args:
        metric: with at least one arm that has a value.
        styles: styles of the arms by name.
    """
    arms = [arm for arm in ordered(metric) if arm["mean"] is not None]
    low, high = _extent(arms)
    drawn = go.Figure()
    for reference in _split(metric, low, high)[0]:
        drawn.add_trace(_line(reference, len(arms)))
        low, high = min(low, reference.value), max(high, reference.value)
    for row, arm in enumerate(arms):
        drawn.add_traces(_traces(arm, row, styles[arm["arm"]]))
    figures.apply_layout(drawn, x=metric["label"], y="")
    room = _PADDING * (high - low) or 0.05
    drawn.update_layout(
        height=96 + ROW_HEIGHT * len(arms),
        hovermode="closest",
        showlegend=True,
        margin={"l": 56, "r": 16, "t": 8, "b": 42},
    )
    drawn.update_xaxes(range=[low - room, high + room])
    drawn.update_yaxes(
        range=[len(arms) - 0.4, -0.6],
        tickmode="array",
        tickvals=list(range(len(arms))),
        ticktext=[figures.escape_plotly(_name(arm)) for arm in arms],
        title=None,
        showgrid=False,
    )
    return drawn


def caption(metric: LeaderboardMetric, noun: str) -> str:
    """Return what the figure shows, and the references that lie outside of it.

    Args:
        metric: the metric.
        noun: what varies between the runs of an arm, "seed" or "split".
    """
    arms = [arm for arm in metric["arms"] if arm["mean"] is not None]
    said = "Dots are means"
    if any(arm["low"] is not None for arm in arms):
        said += ", bars their intervals that hold for all arms at once at 95 %"
    said += f", small dots the {noun}s."
    if sum(arm["rank"] is not None for arm in arms) > 1 and metric["pairs"]:
        said += (
            f" Arms share their {noun}s: which are told apart follows from their differences, not "
            "from bars that overlap."
        )
    outside = _split(metric, *_extent(arms))[1] if arms else []
    if outside:
        named = ", ".join(f"{one.title} {format_number(one.value)}" for one in outside)
        said += f" Outside the figure: {named}."
    return said


def _split(
    metric: LeaderboardMetric, low: float, high: float
) -> tuple[list[Reference], list[Reference]]:
    """Return the references near the arms, and those that are too far away to be drawn."""
    room = _FARTHEST * (high - low)
    known = references(metric)
    near = [one for one in known if low - room <= one.value <= high + room]
    return near, [one for one in known if one not in near]


def _extent(arms: Sequence[LeaderboardArm]) -> tuple[float, float]:
    ends = [value["value"] for arm in arms for value in arm["values"]]
    ends += [
        end for arm in arms for end in (arm["low"], arm["high"], arm["mean"]) if end is not None
    ]
    return min(ends), max(ends)


def _line(reference: Reference, rows: int) -> go.Scatter:
    return go.Scatter(
        x=[reference.value, reference.value],
        y=[-0.6, rows - 0.4],
        mode="lines",
        line={"color": _GREY, "width": 1.5, "dash": _DASHES[reference.title]},
        name=f"{reference.title} {format_number(reference.value)}",
        hovertemplate=f"{reference.title}: %{{x:.4~g}}<extra></extra>",
    )


def _traces(arm: LeaderboardArm, row: int, style: ArmStyle) -> list[go.Scatter]:
    """Return an arm's interval, its runs and its mean, in this order: the mean lies on top."""
    shown = figures.escape_plotly(arm["arm"])
    interval = ""
    made = []
    if arm["low"] is not None and arm["high"] is not None:
        interval = f" ({format_number(arm['low'])} … {format_number(arm['high'])})"
        made.append(
            go.Scatter(
                x=[arm["low"], arm["high"]],
                y=[row, row],
                mode="lines",
                line={"color": style.light, "width": 4},
                opacity=0.55,
                hoverinfo="skip",
                showlegend=False,
            )
        )
    made.append(
        go.Scatter(
            x=[one["value"] for one in arm["values"]],
            y=[row + 0.22] * len(arm["values"]),
            mode="markers",
            marker={"color": style.light, "size": 5, "symbol": "circle-open"},
            customdata=[one["seed"] for one in arm["values"]],
            hovertemplate=f"seed %{{customdata}}: %{{x:.4~g}}<extra>{shown}</extra>",
            showlegend=False,
        )
    )
    made.append(
        go.Scatter(
            x=[arm["mean"]],
            y=[row],
            mode="markers",
            marker={
                "color": style.light,
                "size": 12,
                "symbol": "x-thin-open" if arm["state"] else "circle",
            },
            hovertemplate=f"mean %{{x:.4~g}}{interval}, n = {arm['n']}<extra>{shown}</extra>",
            showlegend=False,
        )
    )
    return made


def _name(arm: LeaderboardArm) -> str:
    name = arm["arm"]
    short = name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
    return f"{short} ({state_text(arm)})" if arm["state"] else short
