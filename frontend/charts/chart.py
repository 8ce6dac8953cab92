"""One chart of a page: a Plotly figure with its name, caption, help mark, and a button to save it.

It is drawn by our own component: Streamlit's chart saves PNG alone, and loads a second copy of
Plotly next to the one that the live curves use.
"""

from typing import Final

import plotly.graph_objects as go
import streamlit as st

from frontend.charts.figures import HEIGHT, file_name
from frontend.ui.assets import LIVE_FOLDER, SAVE_STYLE, Assets
from frontend.ui.theme import DARK_COLORS

_ASSETS: Final = Assets.load()
_component = st.components.v2.component(
    "lossboard_chart",
    js=(LIVE_FOLDER / "js" / "loader.js").read_text(encoding="utf-8"),
    css="\n".join(
        path.read_text(encoding="utf-8") for path in (LIVE_FOLDER / "chart.css", SAVE_STYLE)
    ),
    isolate_styles=False,
)


def show_chart(
    figure: go.Figure,
    *,
    key: str,
    name: str,
    caption: str,
    method: str = "",
    comparison: str = "",
) -> None:
    """Draw a figure over the whole width of its container.

    Fonts, grid and background follow the viewer's theme. So do the colours of arms: give them as
    `ArmStyle.light`, and the browser draws the dark ones on the dark theme. Zoom and hidden
    traces stay through a rerun as long as the key stays.

    Args:
        figure: its height is used, its width is ignored.
        key: unique among the charts of the page.
        name: the heading, and the name of the saved files.
        caption: one line: what is shown, under which reduction or normalisation.
        method: anchor of the Method page's section to which the help mark leads; "" for none.
        comparison: name of the comparison, for saved pictures; "" where it is of several.
    """
    _component(
        key=key,
        data={
            "main": _ASSETS.module_url("chart.js"),
            "plotly": _ASSETS.plotly_url,
            "figure": figure.to_json(),
            "height": figure.layout.height or HEIGHT,
            "name": name,
            "file": file_name(name),
            "caption": caption,
            "method": method,
            "comparison": comparison,
            "dark": DARK_COLORS,
        },
    )
