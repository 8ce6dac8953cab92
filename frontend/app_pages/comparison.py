"""One comparison: what it is, its live curves, and its results."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend import comparison_html
from frontend.api import Api
from frontend.api_types import Dataset
from frontend.comparison_actions import cancel
from frontend.comparison_facts import (
    difference,
    facts,
    measures,
    reductions,
    settings,
)
from frontend.comparison_table import OPEN, verbatim
from frontend.errors import ApiError, MissingError
from frontend.live import component
from frontend.results import sections
from frontend.session import api
from frontend.theme import arm_styles
from frontend.verdict import verdict

POLL_S: Final = 3.0

Json = Mapping[str, Any]


def theme() -> comparison_html.Theme:
    """The viewer's theme."""
    return "dark" if st.context.theme.type == "dark" else "light"


def not_found(comparison_id: str) -> None:
    """Say so, and show the way on."""
    st.title("No such comparison")
    if comparison_id:
        st.write("The address names a comparison that does not exist; it may have been deleted.")
    else:
        st.write("The address names no comparison.")
    st.page_link("app_pages/comparisons.py", label="All comparisons", icon=":material/arrow_back:")


def read(client: Api, comparison_id: str) -> Json | None:
    """The comparison; None if there is none of that id."""
    try:
        return client.comparison(comparison_id)
    except MissingError:
        return None


def uploaded(client: Api, spec: Json) -> Dataset | None:
    """The uploaded data set that it is made on, if it is."""
    dataset = spec["data"].get("dataset")
    try:
        return client.dataset(dataset) if dataset else None
    except MissingError:
        return None


def actions(client: Api, comparison: Json) -> None:
    """What can be done with it, as far as its state allows."""
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if comparison["state"] in OPEN:
            cancel(client, comparison["id"], key="comparison_cancel")
        lost = comparison["runs"]["failed"] + comparison["runs"]["cancelled"]
        if lost and comparison["state"] not in OPEN:
            label = f"Retry {lost} run{'s' if lost > 1 else ''}"
            if st.button(label, icon=":material/replay:", key="comparison_retry"):
                client.retry(comparison["id"])
                st.rerun()
        st.download_button(
            "Export spec",
            json.dumps(comparison["spec"], indent=2, ensure_ascii=False),
            file_name=f"{comparison['id']}.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            key="comparison_export",
        )
        if st.button(
            "Duplicate and edit", icon=":material/content_copy:", key="comparison_duplicate"
        ):
            st.switch_page("app_pages/new.py", query_params={"from": comparison["id"]})


def watch(client: Api, comparison_id: str, *, was_open: bool) -> Json:
    """The comparison now; reruns the page when it has ended, started again or gone."""
    comparison = read(client, comparison_id)
    if comparison is None or (comparison["state"] in OPEN) != was_open:
        st.rerun()
    return comparison


def results(client: Api, comparison: Json, whole_run: Sequence[str]) -> None:
    """The table of arms x metrics, as soon as something is measured."""
    arms = comparison["arms"]
    # Against the last one, so that of two arms the first minus the second is shown, as the verdict
    # has it.
    summary = client.summary(comparison["id"], baseline=arms[-1])
    styles = arm_styles(arms)
    found = sections(summary, arms, whole_run)
    if not found:
        return
    st.subheader("Results")
    finished = f"{summary['runs_finished']} of {summary['runs_total']} runs finished"
    st.caption(
        f"{finished}. Mean ± standard deviation over seeds, with the mean's 95 % interval below. "
        "● marks an arm whose interval meets no other arm's, ○ a best mean that is not told apart."
    )
    first, *others = found
    st.markdown(f"**{first.title}**")
    st.html(comparison_html.results_table(styles, first, theme()))
    for section in others:
        with st.expander(section.title):
            st.html(comparison_html.results_table(styles, section, theme()))


def show(client: Api, comparison: Json) -> None:
    """The whole page of one comparison."""
    comparison_id = comparison["id"]
    is_open = comparison["state"] in OPEN
    every = POLL_S if is_open else None
    catalogue = client.catalogue()
    rows = settings(comparison["spec"], catalogue)

    title, buttons = st.columns([1, 1], vertical_alignment="center")
    title.title(verbatim(comparison["name"]), anchor=False)
    with buttons:
        actions(client, comparison)
    upload = uploaded(client, comparison["spec"])
    shared = facts(comparison["spec"], catalogue, upload["name"] if upload else "")
    st.html(comparison_html.head(comparison, shared, difference(rows)))

    component.mount(
        component.live_data(
            comparison_id=comparison_id,
            arms=comparison["arms"],
            is_open=is_open,
            metrics=catalogue["metrics"],
            **measures(comparison["spec"], catalogue, fine_upload=upload and upload["has_fine"]),
            reductions=reductions(comparison["spec"]),
        )
    )
    whole_run = [row["key"] for row in catalogue["metrics"] if row["summary_only"]]

    @st.fragment(run_every=every)
    def measured() -> None:
        try:
            now = watch(client, comparison_id, was_open=is_open)
            verdict(client, now, theme(), is_open=is_open)
            results(client, now, whole_run)
        except ApiError as error:
            st.caption(f"The results cannot be read now: {error.message}")

    measured()
    st.subheader("Settings of the arms")
    styles = arm_styles(comparison["arms"])
    st.html(comparison_html.settings_table(styles, rows, theme()))
    if comparison.get("notes"):
        st.subheader("Notes")
        st.markdown(comparison["notes"])


def away(error: ApiError) -> None:
    """Say why there is nothing to see; nothing is lost."""
    st.title("The comparison cannot be shown now")
    st.write(error.message)
    st.caption("Runs go on without this page, and what they measure is kept.")
    st.button("Try again", icon=":material/refresh:", key="comparison_again")


requested = st.query_params.get("id", "")
try:
    found = read(api(), requested) if requested else None
    if found is None:
        not_found(requested)
    else:
        show(api(), found)
except ApiError as error:
    away(error)
