"""Which settings distinguish the best trials: a bar for each setting and arm."""

from collections.abc import Mapping
from typing import Final

import plotly.graph_objects as go

from frontend.api.types import Tuning
from frontend.charts import figures
from frontend.ui.theme import ArmStyle

NAME: Final = "Which settings matter"
CAPTION: Final = (
    "Share of what distinguishes the best tenth of an arm's trials from all of them (PED-ANOVA)."
)
_BAR: Final = 20
"""Height of a bar in pixels."""


def has_importance(found: Tuning) -> bool:
    """Return whether any arm has enough trials."""
    return any(arm["importance"] for arm in found["arms"])


def importance_figure(
    found: Tuning, styles: Mapping[str, ArmStyle], titles: Mapping[str, str]
) -> go.Figure:
    """Return the figure, the setting that matters most on top.

    Args:
        found: the search; at least one arm has importances.
        styles: of the arms by name.
        titles: of the searched settings, by path.
    """
    arms = [arm for arm in found["arms"] if arm["importance"]]
    most = {path: max((arm["importance"] or {}).get(path, 0.0) for arm in arms) for path in titles}
    shown = sorted((path for path in titles if most[path] > 0), key=most.__getitem__)
    drawn = go.Figure()
    for arm in reversed(arms):  # Plotly draws the first trace at the bottom
        shares = arm["importance"] or {}
        drawn.add_trace(
            go.Bar(
                x=[100 * shares[path] if path in shares else None for path in shown],
                y=[figures.escape_plotly(titles[path]) for path in shown],
                orientation="h",
                marker={"color": styles[arm["name"]].light},
                name=figures.escape_plotly(arm["name"]),
                hovertemplate="%{y}: %{x:.0f} %<extra>%{fullData.name}</extra>",
            )
        )
    figures.apply_layout(drawn, x="importance", y="")
    drawn.update_layout(
        height=110 + (_BAR * len(arms) + 12) * len(shown),
        barmode="group",
        bargap=0.3,
        hovermode="closest",
        showlegend=True,
        legend={"traceorder": "reversed"},
    )
    drawn.update_xaxes(range=[0, 102], ticksuffix=" %")
    drawn.update_yaxes(title=None, showgrid=False)
    return drawn
