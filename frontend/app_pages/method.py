"""The method: docs/METHOD.md, which says what every number means, and the presets' protocols.

`?metric=dynamics.active_ratio` shows that metric first, so that a help mark can link to it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from frontend.errors import ApiError
from frontend.ui.method_text import (
    DOCUMENT,
    Metric,
    direction_text,
    find_metric,
    presets_table,
    read_sections,
)
from frontend.ui.session import api
from frontend.ui.text import escape_markdown
from frontend.ui.widgets import retry_button

Json = Mapping[str, Any]


def metric_card(metric: Metric) -> None:
    """Draw one metric: label, key, formula, meaning and direction."""
    name, formula = st.columns([3, 2], vertical_alignment="center")
    with name:
        unit = f"in {metric['unit']}" if metric["unit"] else ""
        notes = " · ".join(filter(None, (direction_text(metric), unit)))
        st.markdown(
            f"**{metric['label']}**&ensp;`{metric['key']}`"
            + (f"&ensp;:gray[{notes}]" if notes else "")
            + f"  \n{metric['meaning']}"
        )
    with formula:
        st.latex(metric["formula"])


def linked_metric(metrics: Sequence[Metric], key: str) -> None:
    """Draw the metric that the address names."""
    metric = find_metric(metrics, key)
    with st.container(border=True, key="method_wanted"):
        if metric is None:
            st.markdown(f"There is no metric {escape_markdown(key)}; all metrics are below.")
        else:
            metric_card(metric)
        st.page_link(
            "app_pages/method.py", label="Show the whole page", icon=":material/menu_book:"
        )


def presets(rows: Sequence[Json]) -> None:
    """Draw the presets with the protocol that each follows."""
    st.header("Presets", anchor="presets")
    st.markdown(presets_table(rows))
    with st.container(horizontal=True):
        for row in rows:
            if row["spec"] is not None:
                st.page_link(
                    "app_pages/new_comparison.py",
                    label=row["label"],
                    icon=":material/arrow_forward:",
                    query_params={"preset": row["id"]},
                )


def document() -> None:
    """Draw the whole document, with a list of its sections on top."""
    try:
        front, *sections = read_sections()
    except OSError as error:
        with st.container(border=True):
            st.markdown("**The text of this page is missing**")
            st.write(f"It should be at {DOCUMENT}, part of every installation: {error.strerror}.")
        return
    listed = [f"[{section.title}](#{section.anchor})" for section in sections]
    st.markdown(" · ".join([*listed, "[Presets](#presets)"]))
    st.markdown(front.text)
    for section in sections:
        st.header(section.title, anchor=section.anchor)
        st.markdown(section.text)


def read_catalogue() -> Json | None:
    """Read the catalogue; if the API does not give it, show why and return None."""
    try:
        with st.spinner("Loading the definitions …"):
            return api().catalogue()
    except ApiError as error:
        with st.container(border=True):
            st.markdown("**Presets and single metrics cannot be shown now**")
            st.write(error.message)
            retry_button(api(), error, key="method_again")
        return None


st.title("Method", anchor=False)
st.caption("What every number means, and when two of them are comparable.")
catalogue = read_catalogue()
metric_key = st.query_params.get("metric", "")
if catalogue is not None and metric_key:
    linked_metric(catalogue["metrics"], metric_key)
document()
if catalogue is not None:
    presets(catalogue["presets"])
