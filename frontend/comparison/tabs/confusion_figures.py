"""Matrices of confused classes, arm beside arm, and the rows of the table of confused pairs."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from frontend.api.types import ArmConfusion, Confusion
from frontend.charts import figures
from frontend.ui.text import number_key
from frontend.ui.theme import NEUTRAL

FEW_CLASSES: Final = 20
"""Classes up to which matrices can be read."""
MOST_ROWS: Final = 60
"""Pairs in the table."""
ACROSS: Final = 2
"""Matrices side by side."""
SIDE: Final = 440
"""Height of a row of matrices in pixels."""
OTHER_COLUMNS: Final = ("Class", "Nearest neighbour in", "Items", "Difference")
"""Columns of the table that are no arm's."""
COLOR: Final = "#2b8cd6"
"""Of the largest share; lies between the blues of both themes, on which its shades are laid."""
NAME_LENGTH: Final = 14
"""Characters of a class's name on an axis."""


def class_order(found: Confusion) -> list[int]:
    """Return the classes in an order that puts confused ones side by side, the same for all arms.

    A chain: it begins with the class that is confused least, so that what is left over lies at one
    end, and goes on with the class that is confused most with the last ones.
    """
    count = len(found["classes"])
    tie = [[0.0] * count for _ in range(count)]
    for arm in found["arms"]:
        for pair in arm["pairs"]:
            a, b = pair["actual"], pair["nearest"]
            for first, second in ((a, b), (b, a)):
                tie[first][second] += pair["items"] / max(1, found["items"][a])
    left = sorted(range(count), key=lambda at: number_key(found["classes"][at]))
    order: list[int] = []
    while left:
        near = order[-2:]
        best = max(
            left,
            key=lambda at: (
                sum(tie[at][other] for other in near) if near else -sum(tie[at]),
                sum(tie[at]) if near else 0.0,
            ),
        )
        order.append(best)
        left.remove(best)
    return order


def confusion_matrices(found: Confusion) -> go.Figure:
    """Return a matrix for each arm: rows are classes, columns those of the nearest neighbours."""
    order, arms = class_order(found), found["arms"]
    names = [_short(found["classes"][at]) for at in order]
    ticks = _unique(names)
    shares = [
        pair["items"] / max(1, found["items"][pair["actual"]])
        for arm in arms
        for pair in arm["pairs"]
    ]
    highest = max(shares, default=0.0)
    across = min(ACROSS, len(arms))
    down = -(-len(arms) // across)
    figure = go.Figure()
    for at, arm in enumerate(arms):
        for trace in _matrix(found, arm, order, ticks, highest, first=at == 0):
            trace.update(xaxis=_axis("x", at), yaxis=_axis("y", at))
            figure.add_trace(trace)
    figures.apply_layout(figure, x="", y="")
    for at, arm in enumerate(arms):
        row, column = divmod(at, across)
        figure.update_layout(_axes(at, arm["arm"], (row, down), (column, across)))
    figure.update_layout(
        height=SIDE * down + 40,
        hovermode="closest",
        showlegend=False,
        margin={"l": 12, "r": 12, "t": 12, "b": 12},
    )
    return figure


def _matrix(
    found: Confusion,
    arm: ArmConfusion,
    order: Sequence[int],
    ticks: Sequence[str],
    highest: float,
    *,
    first: bool,
) -> list[go.Heatmap]:
    """Return what is wrong as shades of one colour, and the diagonal as grey."""
    place = {label: at for at, label in enumerate(order)}
    count = len(order)
    wrong: list[list[float | None]] = [[0.0] * count for _ in range(count)]
    right: list[list[float | None]] = [[None] * count for _ in range(count)]
    said = [[""] * count for _ in range(count)]
    for label, at in place.items():
        items, name = found["items"][label], figures.escape_plotly(found["classes"][label])
        wrong[at][at] = None
        if items:
            right[at][at] = arm["right"][label] / items
            said[at][at] = f"{name}: right for {arm['right'][label]:.4g} of {items} items"
    for pair in arm["pairs"]:
        a, b = pair["actual"], pair["nearest"]
        wrong[place[a]][place[b]] = pair["items"] / max(1, found["items"][a])
    for a, at in place.items():
        for b, to in place.items():
            if a != b:
                said[at][to] = _said(found, arm, a, b)
    shared: dict[str, Any] = {
        "x": list(ticks),
        "y": list(ticks),
        "customdata": said,
        "xgap": 1,
        "ygap": 1,
        "hovertemplate": f"%{{customdata}}<extra>{figures.escape_plotly(arm['arm'])}</extra>",
    }
    return [
        go.Heatmap(
            z=right,
            zmin=0,
            zmax=1,
            colorscale=[[0, f"{NEUTRAL[0]}55"], [1, f"{NEUTRAL[0]}55"]],
            showscale=False,
            **shared,
        ),
        go.Heatmap(
            z=wrong,
            zmin=0,
            zmax=highest or 1,
            colorscale=[[0, _rgba(COLOR, 0.04)], [1, _rgba(COLOR, 1)]],
            showscale=first,
            colorbar={
                "title": {"text": "share of<br>the class", "font": {"size": 12}},
                "tickformat": ".1%",
                "thickness": 12,
                "len": 0.9,
                "outlinewidth": 0,
            },
            **shared,
        ),
    ]


def _said(found: Confusion, arm: ArmConfusion, a: int, b: int) -> str:
    """Return one cell in words."""
    pair = next((one for one in arm["pairs"] if (one["actual"], one["nearest"]) == (a, b)), None)
    items = pair["items"] if pair else 0.0
    names = [figures.escape_plotly(found["classes"][label]) for label in (a, b)]
    share = items / max(1, found["items"][a])
    several = pair is not None and len(arm["seeds"]) > 1
    spread = f"<br>{pair['low']:g} to {pair['high']:g} by seed" if pair and several else ""
    return (
        f"{names[0]}: nearest neighbour in {names[1]}<br>{items:.3g} of {found['items'][a]} items "
        f"({share:.1%}){spread}"
    )


def _axes(
    at: int, title: str, row: tuple[int, int], column: tuple[int, int]
) -> dict[str, dict[str, Any]]:
    """Return the two axes of a matrix; (place, of how many) in both directions."""
    high, wide = 1 / row[1], 1 / column[1]
    left, top = column[0] * wide, 1 - row[0] * high
    name = str(at + 1) if at else ""
    look = {"showgrid": False, "zeroline": False, "automargin": True, "constrain": "domain"}
    text = {"text": figures.escape_plotly(title), "font": {"size": 13}}
    return {
        f"xaxis{name}": {
            **look,
            "type": "category",
            "domain": [left + 0.1 * wide, left + 0.92 * wide],
            "anchor": _axis("y", at),
            "title": {**text, "standoff": 6},
            "tickangle": -45,
        },
        f"yaxis{name}": {
            **look,
            "type": "category",
            "autorange": "reversed",
            "domain": [top - 0.8 * high, top - 0.02 * high],
            "anchor": _axis("x", at),
            "scaleanchor": _axis("x", at),
            "title": {"text": ""},
        },
    }


def _axis(kind: str, at: int) -> str:
    return f"{kind}{at + 1}" if at else kind


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1]}…"


def _unique(names: Sequence[str]) -> list[str]:
    """Return names for an axis: one that occurs before gets characters that nobody sees."""
    seen: dict[str, int] = {}
    ticks = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        ticks.append(figures.escape_plotly(name) + "\u200b" * (seen[name] - 1))
    return ticks


def _rgba(color: str, opacity: float) -> str:
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def confusion_rows(found: Confusion) -> list[dict[str, Any]]:
    """Return the rows of the table, the pair that any arm confuses most first."""
    by_pair: dict[tuple[int, int], dict[str, float]] = {}
    for arm in found["arms"]:
        for pair in arm["pairs"]:
            by_pair.setdefault((pair["actual"], pair["nearest"]), {})[arm["arm"]] = pair["items"]
    arms = [arm["arm"] for arm in found["arms"]]
    ordered = sorted(by_pair, key=lambda pair: (-max(by_pair[pair].values()), pair))
    return [_row(found, pair, by_pair[pair], arms) for pair in ordered[:MOST_ROWS]]


def arm_column(arm: str) -> str:
    """Return the name of an arm's column; no other column has it."""
    return f"{arm} (arm)" if arm in OTHER_COLUMNS else arm


def _row(
    found: Confusion,
    pair: tuple[int, int],
    counts: Mapping[str, float],
    arms: Sequence[str],
) -> dict[str, Any]:
    values = [counts.get(arm, 0.0) for arm in arms]
    row: dict[str, Any] = {
        "Class": found["classes"][pair[0]],
        "Nearest neighbour in": found["classes"][pair[1]],
        "Items": found["items"][pair[0]],
        **dict(zip(map(arm_column, arms), values, strict=True)),
    }
    if len(arms) > 1:
        two = len(arms) == 2
        row["Difference"] = values[0] - values[1] if two else max(values) - min(values)
    return row
