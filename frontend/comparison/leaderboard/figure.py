"""The figure of one metric: means of all arms with intervals, the best on top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from frontend.api.types import LeaderboardArm, LeaderboardMetric
from frontend.charts import figures
from frontend.comparison.leaderboard.texts import ordered, state_text
from frontend.comparison.results_table import REFERENCE_TITLES
from frontend.ui.numbers import interval_text, short_number
from frontend.ui.theme import NEUTRAL, ArmStyle

ROW_HEIGHT: Final = 34
"""Height of one arm in pixels."""
LONGEST_NAME: Final = 34
"""Characters of an arm's name that fit beside the figure."""
UNTRAINED: Final = "untrained network (validation)"
_GREY: Final = NEUTRAL[0]
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
    for reference in _near(references(metric), low, high):
        drawn.add_trace(_line(reference, len(arms)))
    shown = [*references(metric), *_not_trained(arms)]
    ends = [one.value for one in _near(shown, low, high)]
    low, high = min([low, *ends]), max([high, *ends])
    for row, arm in enumerate(arms):
        drawn.add_traces(_traces(arm, row, styles[arm["arm"]]))
    figures.apply_layout(drawn, x=metric["label"], y="")
    room = _PADDING * (high - low) or 0.05
    drawn.update_layout(
        height=96 + ROW_HEIGHT * len(arms),
        hovermode="closest",
        showlegend=True,
        margin={"l": 56, "r": 16, "t": 8, "b": 42},
        meta={"yaxis": [figures.escape_plotly(_name(arm, most=None)) for arm in arms]},
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
    """Return in a line what the figure shows.

    Args:
        metric: the metric.
        noun: what a replicate is called: seed, draw or split.
    """
    bars = any(arm["low"] is not None for arm in metric["arms"])
    shown = ", bars 95 % intervals for all arms at once" if bars else ""
    return f"Dots are means{shown}, small dots {noun}s."


def note(metric: LeaderboardMetric, noun: str) -> str:
    """Return how the figure is to be read, and what lies outside of it; "" if nothing is to say."""
    arms = [arm for arm in metric["arms"] if arm["mean"] is not None]
    said = []
    if metric["pairs"]:
        said.append(
            f"Arms share their {noun}s: which ones differ follows from their differences, not "
            "from bars that overlap."
        )
    shown = [*references(metric), *_not_trained(arms)]
    near = _near(shown, *_extent(arms)) if arms else shown
    if outside := [one for one in shown if one not in near]:
        named = ", ".join(f"{one.title} {short_number(one.value)}" for one in outside)
        said.append(f"Outside the figure: {named}.")
    return " ".join(said)


def _near(shown: Sequence[Reference], low: float, high: float) -> list[Reference]:
    """Return those that are not too far from the arms to be drawn."""
    room = _FARTHEST * (high - low)
    return [one for one in shown if low - room <= one.value <= high + room]


def _extent(arms: Sequence[LeaderboardArm]) -> tuple[float, float]:
    """Return the range of the arms that trained; of all where none did."""
    trained = [arm for arm in arms if not arm["state"]] or arms
    ends = [value["value"] for arm in trained for value in arm["values"]]
    marks = [mark for arm in trained for mark in (arm["low"], arm["high"], arm["mean"])]
    ends += [mark for mark in marks if mark is not None]
    return min(ends), max(ends)


def _not_trained(arms: Sequence[LeaderboardArm]) -> list[Reference]:
    return [
        Reference(f"{arm['arm']} ({state_text(arm)})", arm["mean"])
        for arm in arms
        if arm["state"] and arm["mean"] is not None
    ]


def _line(reference: Reference, rows: int) -> go.Scatter:
    return go.Scatter(
        x=[reference.value, reference.value],
        y=[-0.6, rows - 0.4],
        mode="lines",
        line={"color": _GREY, "width": 1.5, "dash": _DASHES[reference.title]},
        name=f"{reference.title} {short_number(reference.value)}",
        hovertemplate=f"{reference.title}: %{{x:.4~g}}<extra></extra>",
    )


def _traces(arm: LeaderboardArm, row: int, style: ArmStyle) -> list[go.Scatter]:
    """Return an arm's interval, its runs and its mean, in this order: the mean lies on top."""
    shown = figures.escape_plotly(arm["arm"])
    interval = ""
    made = []
    if arm["low"] is not None and arm["high"] is not None:
        interval = f" ({interval_text(arm['low'], arm['high'])})"
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


def _name(arm: LeaderboardArm, *, most: int | None = LONGEST_NAME) -> str:
    """Return an arm's name and state; for a saved picture, which breaks lines, the whole name."""
    name = arm["arm"]
    short = name if most is None or len(name) <= most else f"{name[: most - 1]}…"
    return f"{short} ({state_text(arm)})" if arm["state"] else short
