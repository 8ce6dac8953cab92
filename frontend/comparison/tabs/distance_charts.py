"""Distances of positive and negative pairs, an arm above the other, epoch by epoch; pure."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import plotly.graph_objects as go

from frontend.charts import figures

KINDS: Final = {"positive": ("#0072b2", "solid"), "negative": ("#d55e00", "dash")}
"""Kind of pairs -> colour and dash."""
ROW: Final = 150
"""Pixels of one arm."""


def distances(arms: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Normalised histograms with a slider over the epochs that all the arms have.

    Args:
        arms: with `arm`, `epochs` and `histograms` (edges, positive, negative) side by side.
    """
    epochs = sorted(set.intersection(*(set(arm["epochs"]) for arm in arms)))
    figure = go.Figure()
    for epoch in epochs:
        for row, arm in enumerate(arms):
            histogram = arm["histograms"][arm["epochs"].index(epoch)]
            for kind in KINDS:
                figure.add_trace(_trace(histogram, kind, row, visible=epoch == epochs[-1]))
    each = 2 * len(arms)
    steps = [
        {
            "label": str(epoch),
            "method": "update",
            "args": [{"visible": [at // each == place for at in range(each * len(epochs))]}],
        }
        for place, epoch in enumerate(epochs)
    ]
    figures.layout(figure, x="Euclidean distance", y="share of pairs")
    room = 1 / len(arms)
    for row, arm in enumerate(arms):
        top = 1 - row * room
        axis = f"yaxis{row + 1 if row else ''}"
        look = {
            "domain": [top - room * 0.82, top - room * 0.06],
            "title": {"text": figures.plain(arm["arm"]), "font": {"size": 12}},
            "showticklabels": False,
            "rangemode": "tozero",
            "zeroline": False,
        }
        figure.update_layout({axis: look})
    figure.update_layout(
        height=110 + ROW * len(arms) + (70 if len(epochs) > 1 else 0),
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


def _trace(histogram: Mapping[str, Any], kind: str, row: int, *, visible: bool) -> go.Scatter:
    color, dash = KINDS[kind]
    edges, counts = histogram["edges"], histogram[kind]
    total = sum(counts) or 1
    width = edges[1] - edges[0]
    return go.Scatter(
        x=[(low + high) / 2 for low, high in pairwise(edges)],
        # a density, so that arms whose bins are of another width can be compared
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
