"""The chosen arms' values and settings on the page."""

import streamlit as st

from frontend.api.client import Api
from frontend.compare import tables
from frontend.compare import url_state as address
from frontend.compare.selection import Chosen, usual
from frontend.comparison.html import Theme
from frontend.errors import ApiError


def theme() -> Theme:
    """The viewer's theme."""
    return "dark" if st.context.theme.type == "dark" else "light"


def values(client: Api, chosen: Chosen) -> None:
    """Last, best and test values of some metrics, and the same as CSV."""
    keys = [key for key in chosen.metrics if key != "run.elapsed_s"]
    if not keys:
        return
    default = [usual(keys)]
    asked = address.some_of("measure", keys, default)
    st.multiselect(
        "Metrics of the table",
        keys,
        format_func=chosen.label,
        **address.bound("measure", default),
        max_selections=20,
    )
    try:
        found = client.arm_values(chosen.references, asked[:20])
    except ApiError as error:
        st.caption(f"The values cannot be read now: {error.message}")
        return
    st.caption(
        "Mean ± standard deviation over seeds (their count). Best is each seed's best validation "
        "value after epoch 0, the earliest where several are alike; Test is read once a run, at "
        "its best epoch by validation MAP@R. Of what is measured at every step, Last is the mean "
        "of the last epoch. Failed runs do not count."
    )
    st.html(tables.values_table(found, chosen.styles, theme()))
    st.download_button(
        "Table as CSV",
        tables.values_csv(found),
        file_name="arms.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key="compare_table_csv",
    )


def settings(chosen: Chosen) -> None:
    """In what the arms differ."""
    if chosen.found["differs"]:
        st.html(tables.settings_table(chosen.found["differs"], chosen.styles, theme()))
    else:
        st.caption("All settings that two of these arms share are the same.")
