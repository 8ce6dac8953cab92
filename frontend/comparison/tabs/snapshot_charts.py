"""Figures of one snapshot: bars class by class, and distances of pairs epoch by epoch."""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import plotly.graph_objects as go

from frontend.charts import figures
from frontend.ui.text import number_key
from frontend.ui.theme import ArmStyle

MAX_CLASSES: Final = 30
"""Most classes whose bars can still be read; of more, those in which the arms differ most."""
PATTERNS: Final = ("", "/", ".", "x", "-", "+", "|")
"""The second sign of an arm, besides its colour."""

Facts = Sequence[Mapping[str, Any]]


def class_values(arms: Facts, field: str) -> dict[str, dict[int, float]]:
    """Return the values of a field of the class facts by arm and class, without None."""
    return {
        arm["arm"]: {row["label"]: row[field] for row in arm["classes"] if row[field] is not None}
        for arm in arms
    }


def shown_classes(found: Mapping[str, Mapping[int, float]], most: int = MAX_CLASSES) -> list[int]:
    """Return the classes to draw in their order: all, or those in which the arms differ most."""
    labels = sorted({label for own in found.values() for label in own})
    if len(labels) <= most:
        return labels

    def spread(label: int) -> float:
        own = [by_class[label] for by_class in found.values() if label in by_class]
        return max(own) - min(own)

    return sorted(sorted(labels, key=spread, reverse=True)[:most])


def class_bars(
    found: Mapping[str, Mapping[int, float]],
    styles: Mapping[str, ArmStyle],
    name_of: Callable[[int], str],
    *,
    y: str,
) -> go.Figure:
    """Return grouped bars of `class_values`: one group per class, one bar per arm."""
    labels = sorted(shown_classes(found), key=lambda label: number_key(name_of(label)))
    order = list(styles)
    figure = go.Figure(
        [
            go.Bar(
                x=[name_of(label) for label in labels],
                y=[own.get(label) for label in labels],
                name=figures.escape_plotly(arm),
                marker={
                    "color": styles[arm].light,
                    "pattern": {"shape": PATTERNS[order.index(arm) % len(PATTERNS)]},
                },
                hovertemplate=f"%{{y:.4~g}}<extra>{figures.escape_plotly(arm)}</extra>",
            )
            for arm, own in found.items()
        ]
    )
    figure.update_layout(barmode="group", bargap=0.25, height=320)
    figure.update_xaxes(type="category")
    return figures.apply_layout(figure, x="class", y=y)


PAIR_STYLES: Final = {"positive": ("#0072b2", "solid"), "negative": ("#d55e00", "dash")}
"""Kind of pairs -> colour and dash."""
ROW_HEIGHT: Final = 150
"""Height of one arm's histogram in pixels."""


def distance_histograms(arms: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Return histograms of distances of positive and negative pairs, one arm above the other.

    A slider chooses among the epochs that all arms have.

    Args:
        arms: for each arm its name `arm`, its `epochs`, and a histogram (edges, positive,
            negative) for each epoch in `histograms`.
    """
    epochs = sorted(set.intersection(*(set(arm["epochs"]) for arm in arms)))
    figure = go.Figure()
    for epoch in epochs:
        for row, arm in enumerate(arms):
            histogram = arm["histograms"][arm["epochs"].index(epoch)]
            for kind in PAIR_STYLES:
                figure.add_trace(
                    _histogram_trace(histogram, kind, row, visible=epoch == epochs[-1])
                )
    each = 2 * len(arms)
    steps = [
        {
            "label": str(epoch),
            "method": "update",
            "args": [{"visible": [at // each == place for at in range(each * len(epochs))]}],
        }
        for place, epoch in enumerate(epochs)
    ]
    figures.apply_layout(figure, x="Euclidean distance", y="share of pairs")
    room = 1 / len(arms)
    for row, arm in enumerate(arms):
        top = 1 - row * room
        axis = f"yaxis{row + 1 if row else ''}"
        look = {
            "domain": [top - room * 0.82, top - room * 0.06],
            "title": {"text": figures.escape_plotly(arm["arm"]), "font": {"size": 12}},
            "showticklabels": False,
            "rangemode": "tozero",
            "zeroline": False,
        }
        figure.update_layout({axis: look})
    figure.update_layout(
        height=110 + ROW_HEIGHT * len(arms) + (70 if len(epochs) > 1 else 0),
        hovermode="closest",
        sliders=[
            {
                "active": len(epochs) - 1,
                "steps": steps,
                "currentvalue": {"prefix": "epoch "},
                "pad": {"t": 40},
            }
        ]
        if len(epochs) > 1
        else [],
    )
    lowest = f"y{len(arms)}" if len(arms) > 1 else "y"
    figure.update_xaxes(rangemode="tozero", anchor=lowest)
    return figure


def _histogram_trace(
    histogram: Mapping[str, Any], kind: str, row: int, *, visible: bool
) -> go.Scatter:
    color, dash = PAIR_STYLES[kind]
    edges, counts = histogram["edges"], histogram[kind]
    total = sum(counts) or 1
    width = edges[1] - edges[0]
    return go.Scatter(
        x=[(low + high) / 2 for low, high in pairwise(edges)],
        # a density, so that arms with bins of different width can be compared
        y=[count / total / width if width else 0.0 for count in counts],
        yaxis=f"y{row + 1 if row else ''}",
        name=f"{kind} pairs",
        legendgroup=kind,
        showlegend=row == 0,
        visible=visible,
        mode="lines",
        line={"color": color, "width": 2, "dash": dash, "shape": "hvh"},
        fill="tozeroy",
        fillcolor=f"{color}33",
        hovertemplate="%{x:.3~g}<extra>" + kind + "</extra>",
    )
