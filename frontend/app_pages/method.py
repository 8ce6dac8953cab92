"""What every number means: docs/METHOD.md itself, and the presets with the papers' protocols.

`?metric=dynamics.active_ratio` shows that metric first, so that a help mark can lead here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from frontend.errors import ApiError
from frontend.ui.method_text import DOCUMENT, Metric, better, protocol_rows, read, wanted
from frontend.ui.session import api
from frontend.ui.text import verbatim
from frontend.ui.widgets import try_again

Json = Mapping[str, Any]


def metric_card(metric: Metric) -> None:
    """Label, key, formula, meaning and direction of one metric."""
    name, formula = st.columns([3, 2], vertical_alignment="center")
    with name:
        unit = f"in {metric['unit']}" if metric["unit"] else ""
        notes = " · ".join(filter(None, (better(metric), unit)))
        st.markdown(
            f"**{metric['label']}**&ensp;`{metric['key']}`"
            + (f"&ensp;:gray[{notes}]" if notes else "")
            + f"  \n{metric['meaning']}"
        )
    with formula:
        st.latex(metric["formula"])


def asked_for(metrics: Sequence[Metric], key: str) -> None:
    """The one metric that the address names, before all others."""
    metric = wanted(metrics, key)
    with st.container(border=True, key="method_wanted"):
        if metric is None:
            st.markdown(f"There is no metric {verbatim(key)}; all that exist stand below.")
        else:
            metric_card(metric)
        st.page_link(
            "app_pages/method.py", label="Back to the whole method", icon=":material/menu_book:"
        )


def presets(rows: Sequence[Json]) -> None:
    """The ready-made comparisons and whose protocol each follows."""
    st.header("Presets", anchor="presets")
    st.markdown(protocol_rows(rows))
    with st.container(horizontal=True):
        for row in rows:
            if row["spec"] is not None:
                st.page_link(
                    "app_pages/new.py",
                    label=row["label"],
                    icon=":material/arrow_forward:",
                    query_params={"preset": row["id"]},
                )


def text() -> None:
    """The whole document, its sections listed first."""
    try:
        front, *sections = read()
    except OSError as error:
        with st.container(border=True):
            st.markdown("**The text of the method is missing**")
            st.write(f"It should be at {DOCUMENT}, part of every installation: {error.strerror}.")
        return
    listed = [f"[{section.title}](#{section.anchor})" for section in sections]
    st.markdown(" · ".join([*listed, "[Presets](#presets)"]))
    st.markdown(front.text)
    for section in sections:
        st.header(section.title, anchor=section.anchor)
        st.markdown(section.text)


def with_catalogue() -> Json | None:
    """The catalogue; None, with the reason shown, if the API has not given it."""
    try:
        with st.spinner("Reading what is measured …"):
            return api().catalogue()
    except ApiError as error:
        with st.container(border=True):
            st.markdown("**Presets and single metrics cannot be shown now**")
            st.write(error.message)
            try_again(api(), error, key="method_again")
        return None


st.title("Method", anchor=False)
st.caption("What every number on the charts means, and what makes two of them comparable.")
offered = with_catalogue()
asked = st.query_params.get("metric", "")
if offered is not None and asked:
    asked_for(offered["metrics"], asked)
text()
if offered is not None:
    presets(offered["presets"])
