"""How retrieval fares with smaller embeddings: fewer dimensions, and 8-bit integers."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from frontend.api.types import ArmSummary, Summary
from frontend.charts import chart, figures
from frontend.comparison.tabs.view import SCORED, View
from frontend.ui.theme import ArmStyle

MEASURES: Final = {"map_at_r": "MAP@R", "recall_at_1": "Recall@1"}
"""Measure of a way to make embeddings smaller -> its name."""
NEITHER: Final = (
    "Not measured, nor is verification of pairs: runs of older versions have neither. Runs that "
    "are started now have both."
)
NO_DIMENSIONS: Final = (
    "Not measured: among the test items that are drawn for it, no two are of one class."
)
OF_SCORES: Final = "Measured by classes or positives, which scored pairs do not have."
_KEY: Final = re.compile(r"test\.dimension\.(full|int8|(?:truncated|pca)_\d+)\.(\w+)")

Values = Mapping[str, Mapping[str, ArmSummary]]
"""Way -> arm -> its value."""


def measured_ways(summary: Summary, measure: str) -> Values:
    """Return what was measured of smaller embeddings.

    Args:
        summary: of the comparison.
        measure: one of MEASURES.
    """
    found: dict[str, dict[str, ArmSummary]] = {}
    for metric in summary["metrics"]:
        named = _KEY.fullmatch(metric["key"])
        known = {row["arm"]: row for row in metric["arms"] if row["mean"] is not None}
        if named and named[2] == measure and known:
            found[named[1]] = known
    return found


def dimensions_figure(
    found: Values, styles: Mapping[str, ArmStyle], dimensions: int, label: str
) -> go.Figure:
    """Return the figure: for each arm a line over the dimensions that are kept by truncation, with
    its band, a thin one by principal components, and a cross for 8-bit integers.

    Args:
        found: as `measured_ways` returns it, not empty.
        styles: styles of the arms by name.
        dimensions: of the embeddings.
        label: name of the measure.
    """
    figure = go.Figure()
    for arm, style in styles.items():
        kept = _kept(found, "truncated", arm, dimensions)
        figure.add_traces(
            figures.band_traces(
                [at for at, _ in kept],
                [row["mean"] for _, row in kept],
                [row["low"] for _, row in kept],
                [row["high"] for _, row in kept],
                style,
                arm,
            )
        )
        components = _kept(found, "pca", arm, dimensions)
        if len(components) > 1:
            figure.add_trace(_thin(components, style, arm))
        if arm in found.get("int8", {}):
            figure.add_trace(_cross(dimensions, found["int8"][arm], style, arm))
    figures.apply_layout(figure, x="kept dimensions", y=label)
    ticks = sorted({at for arm in styles for at, _ in _kept(found, "truncated", arm, dimensions)})
    figure.update_xaxes(type="log", tickvals=ticks, ticktext=[str(at) for at in ticks])
    return figure


def show_dimensions(view: View, summary: Summary) -> None:
    """Draw the figure; or say what was not measured, once there is a result of the test split."""
    found = measured_ways(summary, "map_at_r")
    if not found and not _is_measured(summary, "test."):
        return
    st.subheader("Smaller embeddings", anchor="dimensions")
    if not found and view.shape == SCORED:
        st.caption(OF_SCORES)
        return
    if not found:
        st.caption(NO_DIMENSIONS if _is_measured(summary, "test.verification.") else NEITHER)
        return
    chosen = st.segmented_control(
        "Measure",
        list(MEASURES),
        default="map_at_r",
        required=True,
        format_func=MEASURES.__getitem__,
        key=f"dimensions_{view.id}",
    )
    measure, noun = chosen or "map_at_r", view.comparison["replicate_noun"]
    chart.show_chart(
        dimensions_figure(
            measured_ways(summary, measure),
            view.styles,
            int(view.comparison["spec"]["encoder"]["embedding_dim"]),
            MEASURES[measure],
        ),
        key=f"dimensions-{measure}-{view.id}",
        name=f"{MEASURES[measure]} of smaller embeddings",
        caption="Lines with bands: the first dimensions alone. Thin dotted lines: as many "
        "principal components of the validation embeddings. Crosses: all dimensions as 8-bit "
        f"integers. Test split, mean over {noun}s with 95 % intervals.",
        method="verification",
        comparison=view.name,
    )


def _is_measured(summary: Summary, prefix: str) -> bool:
    """Return whether an arm has a value of a metric whose key begins so."""
    return any(
        row["mean"] is not None
        for metric in summary["metrics"]
        if metric["key"].startswith(prefix)
        for row in metric["arms"]
    )


def _kept(found: Values, way: str, arm: str, dimensions: int) -> list[tuple[int, ArmSummary]]:
    """Return the numbers of dimensions that are kept, rising, each with the arm's value; the last
    one is of all dimensions."""
    cut = [
        (int(name.rpartition("_")[2]), arms[arm])
        for name, arms in found.items()
        if name.startswith(f"{way}_") and arm in arms
    ]
    whole = [(dimensions, found["full"][arm])] if arm in found.get("full", {}) else []
    return [*sorted(cut, key=lambda one: one[0]), *whole]


def _thin(kept: Sequence[tuple[int, ArmSummary]], style: ArmStyle, arm: str) -> go.Scatter:
    return go.Scatter(
        x=[at for at, _ in kept],
        y=[row["mean"] for _, row in kept],
        mode="lines+markers",
        line={"color": style.light, "width": 1, "dash": "dot"},
        marker={"color": style.light, "size": 4, "symbol": "circle-open"},
        hovertemplate="%{y:.4~g} by components<extra></extra>",
        **_of(arm),
    )


def _cross(dimensions: int, row: ArmSummary, style: ArmStyle, arm: str) -> go.Scatter:
    return go.Scatter(
        x=[dimensions],
        y=[row["mean"]],
        mode="markers",
        marker={
            "color": style.light,
            "size": 9,
            "symbol": "x-thin",
            "line": {"width": 2, "color": style.light},
        },
        hovertemplate="%{y:.4~g} as 8-bit integers<extra></extra>",
        **_of(arm),
    )


def _of(arm: str) -> dict[str, Any]:
    """Return what ties a trace to its arm's entry in the legend."""
    return {"legendgroup": arm, "name": figures.escape_plotly(arm), "showlegend": False}
