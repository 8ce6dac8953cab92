"""Paired bars: one group a class, one bar an arm; pure functions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from frontend.charts import chart as charts
from frontend.ui.theme import ArmStyle

MOST: Final = 30
"""Classes that bars can be told apart of; of more, those in which the arms differ most."""
PATTERNS: Final = ("", "/", ".", "x", "-", "+", "|")
"""The second sign of an arm, beside its colour."""

Facts = Sequence[Mapping[str, Any]]


def values(arms: Facts, field: str) -> dict[str, dict[int, float]]:
    """By arm, then by class, what `field` of its class facts says; None is left out."""
    return {
        arm["arm"]: {row["label"]: row[field] for row in arm["classes"] if row[field] is not None}
        for arm in arms
    }


def shown(found: Mapping[str, Mapping[int, float]], most: int = MOST) -> list[int]:
    """The classes to draw, in their order: all, or the `most` in which the arms differ most."""
    labels = sorted({label for own in found.values() for label in own})
    if len(labels) <= most:
        return labels

    def spread(label: int) -> float:
        own = [by_class[label] for by_class in found.values() if label in by_class]
        return max(own) - min(own)

    return sorted(sorted(labels, key=spread, reverse=True)[:most])


def bars(
    found: Mapping[str, Mapping[int, float]],
    styles: Mapping[str, ArmStyle],
    name_of: Callable[[int], str],
    *,
    y: str,
) -> go.Figure:
    """The figure of what `values` found."""
    labels = shown(found)
    order = list(styles)
    figure = go.Figure(
        [
            go.Bar(
                x=[name_of(label) for label in labels],
                y=[own.get(label) for label in labels],
                name=charts.plain(arm),
                marker={
                    "color": styles[arm].light,
                    "pattern": {"shape": PATTERNS[order.index(arm) % len(PATTERNS)]},
                },
                hovertemplate=f"%{{y:.4~g}}<extra>{charts.plain(arm)}</extra>",
            )
            for arm, own in found.items()
        ]
    )
    figure.update_layout(barmode="group", bargap=0.25, height=320)
    figure.update_xaxes(type="category")
    return charts.layout(figure, x="class", y=y)
