"""The section of the page with the scatter figure and the inputs that change it."""

from typing import cast

import streamlit as st

from frontend.api.client import Api
from frontend.charts import chart
from frontend.compare import scatter_figure, url_state
from frontend.compare.selection import Selection, arm_reference, preferred_metric
from frontend.compare.tables import setting_label
from frontend.errors import ApiError


def show_scatter(client: Api, chosen: Selection) -> None:
    """Draw the inputs, the scatter figure, and the button that downloads its points as CSV."""
    keys = list(chosen.metrics)
    if not keys:
        return
    paths = scatter_figure.numeric_settings(chosen.found["arms"])
    main = preferred_metric(keys)
    first = next((path for path in paths if path in _shared_settings(chosen)), main)
    titles = {path: setting_label(path, path.rpartition(".")[2]) for path in paths}
    titles |= {key: chosen.label(key) for key in keys}
    default = {"sx": first, "sy": main, "of": "last", "each": "arm"}
    options = {
        "sx": [*paths, *keys],
        "sy": keys,
        "of": list(scatter_figure.VALUES),
        "each": list(scatter_figure.POINT_KINDS),
    }
    asked = url_state.choice_values(options, default)
    wanted = {name: url_state.bool_value(name) for name in ("slogx", "slogy")}

    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(
            "X axis",
            options["sx"],
            format_func=titles.__getitem__,
            width=250,
            **url_state.widget_arguments("sx", default["sx"]),
        )
        st.selectbox(
            "Y axis",
            keys,
            format_func=titles.__getitem__,
            width=250,
            **url_state.widget_arguments("sy", default["sy"]),
        )
        for label, name, words in (
            ("Metric values", "of", scatter_figure.VALUES),
            ("Each point is", "each", scatter_figure.POINT_KINDS),
        ):
            st.segmented_control(
                label,
                options[name],
                required=True,
                format_func=words.__getitem__,
                **url_state.widget_arguments(name, default[name]),
            )
    x, y = asked["sx"], asked["sy"]
    try:
        found = client.arm_values(chosen.references, [key for key in {x, y} if key in keys])
    except ApiError as error:
        st.caption(f"The values cannot be read now: {error.message}")
        return
    points = scatter_figure.scatter_points(
        found,
        chosen.names,
        x=x,
        y=y,
        of=cast(scatter_figure.Value, asked["of"]),
        each=cast(scatter_figure.PointKind, asked["each"]),
    )
    if not points:
        st.caption("No arm has both values; choose other metrics, or their last values.")
        return
    can = {
        "slogx": scatter_figure.all_positive([point.x for point in points]),
        "slogy": scatter_figure.all_positive([point.y for point in points]),
    }
    with st.container(horizontal=True):
        st.toggle("Log x", disabled=not can["slogx"], **url_state.widget_arguments("slogx", False))
        st.toggle("Log y", disabled=not can["slogy"], **url_state.widget_arguments("slogy", False))
    drawn = scatter_figure.scatter_figure(
        points,
        x=titles[x],
        y=titles[y],
        log_x=wanted["slogx"] and can["slogx"],
        log_y=wanted["slogy"] and can["slogy"],
    )
    across = titles[x] if x in paths else chosen.metrics[x]["label"]
    each_is = "One point per arm, with its standard deviation over seeds"
    with st.container(key="chart-scatter"):
        chart.show_chart(
            drawn,
            key="compare_scatter",
            name=f"{chosen.metrics[y]['label']} by {across}",
            caption=f"{each_is if asked['each'] == 'arm' else 'A point a run'}; metrics by their "
            f"{scatter_figure.VALUES[asked['of']]} value; colour and shape by loss.",
        )
    missing = len(chosen.names) - len({arm_reference(point.arm) for point in points})
    if missing:
        st.caption(f"Of the chosen arms {missing} are not drawn: they lack one of the two values.")
    st.download_button(
        "Points as CSV",
        scatter_figure.scatter_csv(points, x=x, y=y),
        file_name="scatter.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="compare_scatter_csv",
    )


def _shared_settings(chosen: Selection) -> set[str]:
    """Return the settings that differ and that every arm has."""
    rows = chosen.found["differs"]
    return {row["setting"] for row in rows if all(value is not None for value in row["values"])}
