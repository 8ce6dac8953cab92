"""Any setting or metric of the chosen arms against any metric, on the page."""

from typing import cast

import streamlit as st

from frontend.api.client import Api
from frontend.charts import chart
from frontend.compare import scatter_figure as scatter
from frontend.compare import url_state as address
from frontend.compare.selection import Selection, arm_reference, preferred_metric
from frontend.errors import ApiError


def show_scatter(client: Api, chosen: Selection) -> None:
    """Any setting or metric against any metric, and the points as CSV."""
    keys = list(chosen.metrics)
    if not keys:
        return
    paths = scatter.numeric_settings(chosen.found["arms"])
    main = preferred_metric(keys)
    first = next((path for path in paths if path in _shared_settings(chosen)), main)
    titles = {path: f"Setting: {path}" for path in paths}
    titles |= {key: chosen.label(key) for key in keys}
    default = {"sx": first, "sy": main, "of": "last", "each": "arm"}
    options = {
        "sx": [*paths, *keys],
        "sy": keys,
        "of": list(scatter.VALUES),
        "each": list(scatter.POINT_KINDS),
    }
    asked = address.choice_values(options, default)
    wanted = {name: address.bool_value(name) for name in ("slogx", "slogy")}

    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(
            "Across",
            options["sx"],
            format_func=titles.__getitem__,
            width=340,
            **address.widget_arguments("sx", default["sx"]),
        )
        st.selectbox(
            "Up",
            keys,
            format_func=titles.__getitem__,
            width=340,
            **address.widget_arguments("sy", default["sy"]),
        )
        for label, name, words in (
            ("Values of metrics", "of", scatter.VALUES),
            ("A point is", "each", scatter.POINT_KINDS),
        ):
            st.segmented_control(
                label,
                options[name],
                required=True,
                format_func=words.__getitem__,
                **address.widget_arguments(name, default[name]),
            )
    x, y = asked["sx"], asked["sy"]
    try:
        found = client.arm_values(chosen.references, [key for key in {x, y} if key in keys])
    except ApiError as error:
        st.caption(f"The values cannot be read now: {error.message}")
        return
    points = scatter.scatter_points(
        found,
        chosen.names,
        x=x,
        y=y,
        of=cast(scatter.Value, asked["of"]),
        each=cast(scatter.PointKind, asked["each"]),
    )
    if not points:
        st.caption("No arm has both values; choose others, or the last ones.")
        return
    can = {
        "slogx": scatter.all_positive([point.x for point in points]),
        "slogy": scatter.all_positive([point.y for point in points]),
    }
    with st.container(horizontal=True):
        st.toggle(
            "Log across", disabled=not can["slogx"], **address.widget_arguments("slogx", False)
        )
        st.toggle("Log up", disabled=not can["slogy"], **address.widget_arguments("slogy", False))
    drawn = scatter.scatter_figure(
        points,
        x=titles[x],
        y=titles[y],
        log_x=wanted["slogx"] and can["slogx"],
        log_y=wanted["slogy"] and can["slogy"],
    )
    across = x if x in paths else chosen.metrics[x]["label"]
    each_is = "A point an arm, with its standard deviation over seeds"
    with st.container(key="chart-scatter"):
        chart.show_chart(
            drawn,
            key="compare_scatter",
            name=f"{chosen.metrics[y]['label']} by {across}",
            caption=f"{each_is if asked['each'] == 'arm' else 'A point a run'}; metrics by their "
            f"{scatter.VALUES[asked['of']]} value; colour and shape by loss.",
        )
    missing = len(chosen.names) - len({arm_reference(point.arm) for point in points})
    if missing:
        st.caption(f"Of the chosen arms {missing} are not drawn: they lack one of the two values.")
    st.download_button(
        "Points as CSV",
        scatter.scatter_csv(points, x=x, y=y),
        file_name="scatter.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="compare_scatter_csv",
    )


def _shared_settings(chosen: Selection) -> set[str]:
    """The settings that differ and that every arm has."""
    rows = chosen.found["differs"]
    return {row["setting"] for row in rows if all(value is not None for value in row["values"])}
