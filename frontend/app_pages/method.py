"""What every number means: losses, metrics, the rules of a fair comparison, the presets.

`?metric=dynamics.active_ratio` shows that metric first, so that a help mark can lead here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from frontend.comparison_table import verbatim
from frontend.errors import ApiError
from frontend.method_text import (
    NOTATION,
    RULES,
    TRAPS,
    Metric,
    Rule,
    better,
    grouped,
    wanted,
)
from frontend.session import api

Json = Mapping[str, Any]


def paper(row: Json) -> None:
    """The source of a row, linked where it has an address."""
    if row["paper"]:
        source = f"[{row['paper']}]({row['url']})" if row["url"] else row["paper"]
        st.markdown(f":small[After {source}]")


def losses(rows: Sequence[Json]) -> None:
    """Formula, idea and source of each loss, two in a line."""
    st.header("Losses", anchor="losses")
    st.markdown(NOTATION)
    columns = st.columns(2)
    for index, row in enumerate(rows):
        with columns[index % 2], st.container(border=True, height="stretch"):
            st.subheader(row["label"], anchor=f"loss-{row['kind'].replace('_', '-')}")
            st.write(row["idea"])
            st.latex(row["formula"])
            paper(row)


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


def all_metrics(metrics: Sequence[Metric], key: str) -> None:
    """Every metric, one fold a group; the group of the one that was asked for stays open."""
    st.header("Metrics", anchor="metrics")
    st.caption("An arrow says which way is better, where one way is better by itself.")
    for index, (group, members) in enumerate(grouped(metrics)):
        named = any(member["key"] == key for member in members)
        label = f"**{group.title}** · {len(members)}"
        with st.expander(label, expanded=named or (not key and index == 0)):
            st.caption(group.question)
            for member in members:
                metric_card(member)


def rules(title: str, anchor: str, texts: Sequence[Rule]) -> None:
    """Short texts, two in a line."""
    st.header(title, anchor=anchor)
    for start in range(0, len(texts), 2):
        for column, rule in zip(st.columns(2), texts[start : start + 2], strict=False):
            with column, st.container(border=True, height="stretch"):
                st.markdown(f"**{rule.title}**")
                st.markdown(rule.text)


def presets(rows: Sequence[Json]) -> None:
    """The ready-made comparisons and whose protocol each follows."""
    st.header("Presets", anchor="presets")
    for row in rows:
        with st.container(border=True):
            st.markdown(f"**{row['label']}**")
            st.write(row["idea"])
            paper(row)
            st.page_link(
                "app_pages/new.py",
                label="Start from this",
                icon=":material/arrow_forward:",
                query_params={"preset": row["id"]},
            )


def show(catalogue: Json) -> None:
    """The whole page."""
    key = st.query_params.get("metric", "")
    if key:
        asked_for(catalogue["metrics"], key)
    losses(catalogue["losses"])
    all_metrics(catalogue["metrics"], key)
    rules("A fair comparison", "fair", RULES)
    rules("Traps", "traps", TRAPS)
    presets(catalogue["presets"])


def away(error: ApiError) -> None:
    """Say why there is nothing to read."""
    with st.container(border=True):
        st.markdown("**The method cannot be shown now**")
        st.write(error.message)
        st.button("Try again", icon=":material/refresh:", key="method_again")


st.title("Method", anchor=False)
st.caption("What every number on the charts means, and what makes two of them comparable.")
try:
    with st.spinner("Reading what is measured …"):
        offered = api().catalogue()
except ApiError as error:
    away(error)
else:
    show(offered)
