"""The section of the page with the chosen arms' curves and the inputs that change them."""

from collections.abc import Mapping
from typing import cast

import streamlit as st

from frontend.api.client import Api
from frontend.charts import chart
from frontend.compare import curves_figure, url_state
from frontend.compare.selection import Selection, preferred_metric
from frontend.errors import ApiError


def show_curves(client: Api, chosen: Selection) -> None:
    """Draw the inputs, and the curves of one metric."""
    keys = [key for key, row in chosen.metrics.items() if not row["summary_only"]]
    if not keys:
        st.caption("No measurements yet: curves appear after the first evaluation.")
        return
    first = preferred_metric(keys)
    few = len(chosen.names) <= curves_figure.MANY_BANDS
    default = {"metric": first, "x": "step", "lines": "band" if few else "mean", "smooth": "0"}
    options = {
        "metric": keys,
        "x": list(curves_figure.AXES),
        "lines": list(curves_figure.LINES),
        "smooth": list(curves_figure.SMOOTHINGS),
    }
    asked = url_state.choice_values(options, default)
    log_y = url_state.bool_value("log")

    per_step = bool(chosen.metrics[asked["metric"]]["per_step"])
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(
            "Metric",
            keys,
            format_func=chosen.label,
            width=230,
            **url_state.widget_arguments("metric", default["metric"]),
        )
        st.segmented_control(
            "Along",
            options["x"],
            required=True,
            format_func=str.capitalize,
            **url_state.widget_arguments("x", default["x"]),
        )
        st.segmented_control(
            "Lines",
            options["lines"],
            required=True,
            format_func=curves_figure.LINES.__getitem__,
            **url_state.widget_arguments("lines", default["lines"]),
        )
        st.selectbox(
            "Smoothing",
            options["smooth"],
            format_func=lambda one: "off" if one == "0" else one,
            help="Weight of past values at each drawn point; only for metrics "
            "measured at every step.",
            disabled=not per_step,
            width=130,
            **url_state.widget_arguments("smooth", default["smooth"]),
        )
        st.toggle("Log y", **url_state.widget_arguments("log", False))
    _draw_curves(client, chosen, asked, log_y=log_y, smooth=float(asked["smooth"]) * per_step)


def _draw_curves(
    client: Api, chosen: Selection, asked: Mapping[str, str], *, log_y: bool, smooth: float
) -> None:
    metric = asked["metric"]
    try:
        with st.spinner("Reading the curves …"):
            read = client.arm_curves(
                chosen.references,
                metric,
                max_points=curves_figure.max_points(chosen.runs),
                seeds=asked["lines"] == "seeds",
                elapsed=asked["x"] == "time",
            )["arms"]
    except ApiError as error:
        st.caption(f"The curves cannot be read now: {error.message}")
        return
    if len(read) != len(chosen.names):  # an arm was deleted a moment ago
        st.rerun()
    axis, lines = cast(curves_figure.Axis, asked["x"]), cast(curves_figure.Lines, asked["lines"])
    drawn = curves_figure.curves_figure(
        read,
        chosen.names,
        chosen.styles,
        axis=axis,
        lines=lines,
        smooth=smooth,
        log_y=log_y,
        label=chosen.label(metric),
    )
    row = chosen.metrics[metric]
    with st.container(key="chart-compare"):
        chart.show_chart(
            drawn,
            key="compare_curves",
            name=str(row["label"]),
            caption=curves_figure.caption(
                read, lines=lines, axis=axis, smooth=smooth, meaning=str(row["meaning"])
            ),
        )
