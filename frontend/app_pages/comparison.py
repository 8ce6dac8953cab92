"""One comparison: its head, then its tabs."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import ComparisonDetail, Dataset, Trial, TunedArm
from frontend.comparison import tables_html
from frontend.comparison.actions import page_actions
from frontend.comparison.spec_text import (
    arm_settings,
    difference_text,
    measured_data,
    reductions_text,
    shared_facts,
)
from frontend.comparison.tabs import leaderboard, model, sections, setup, tuning, verdict
from frontend.comparison.tabs.view import View
from frontend.comparison.tuning.head import search_html, trial_html
from frontend.comparison.tuning.texts import setting_titles, trial_of_run
from frontend.comparison.verdict.overview import STYLE_FILE
from frontend.errors import ApiError, MissingError
from frontend.export.menu import export_menu
from frontend.live import component
from frontend.live.component import Tab
from frontend.ui.session import api
from frontend.ui.text import OPEN_STATES, escape_markdown
from frontend.ui.widgets import retry_button

POLL_S: Final = 3.0
SHORT_NOTES: Final = 120
"""Characters of notes that are shown without being opened."""

TABS: Final[dict[Tab, Callable[[View], None]]] = {
    "live": sections.show_live,
    "geometry": sections.show_geometry,
    "retrieval": sections.show_retrieval,
    "space": sections.show_space,
    "tuning": tuning.show_tuning,
    "leaderboard": leaderboard.show_leaderboard,
    "verdict": verdict.show_verdict,
    "model": model.show_model,
    "setup": setup.show_setup,
}
SELF_UPDATING: Final[tuple[Tab, ...]] = ("space",)
"""Tabs that update themselves in the browser while runs go on."""


def read_comparison(client: Api, comparison_id: str) -> ComparisonDetail | None:
    """Read a comparison; None if there is none with this id."""
    try:
        return client.comparison(comparison_id)
    except MissingError:
        return None


def read_upload(client: Api, comparison: ComparisonDetail) -> Dataset | None:
    """Read the uploaded data set of a comparison; None if it uses no upload."""
    dataset = comparison["spec"]["data"].get("dataset")
    try:
        return client.dataset(dataset) if dataset else None
    except MissingError:
        return None


def show_head(view: View, upload: Dataset | None) -> None:
    """Draw the comparison's name, its actions, and what all its arms share."""
    comparison = view.comparison
    with st.container(horizontal=True, vertical_alignment="center", key="comparison-head"):
        st.title(escape_markdown(comparison["name"]), anchor=False)
        with st.container(horizontal=True, width="content", gap="small"):
            export_menu(view.client, comparison)
            page_actions(view.client, comparison)
    shared = shared_facts(
        comparison["spec"],
        view.catalogue,
        upload["name"] if upload else "",
        comparison["replicate_noun"],
    )
    rows = arm_settings(comparison["spec"], view.catalogue)
    st.html(tables_html.head_html(comparison, shared, difference_text(rows)))


def show_notes(notes: str) -> None:
    """Draw the notes: short ones as they are, of long ones the beginning, which opens."""
    first, _, more = notes.strip().partition("\n")
    if not more and len(first) <= SHORT_NOTES:
        if first:
            st.markdown(first)
        return
    beginning = escape_markdown(first[:SHORT_NOTES].rstrip())
    with st.expander(f"Notes: {beginning} …", icon=":material/notes:"):
        st.markdown(notes)


def show_tab(view: View, tab: Tab) -> None:
    """Draw a tab; rerun the page if the comparison has ended, started again or been deleted."""
    now = read_comparison(view.client, view.id)
    if now is None or (now["state"] in OPEN_STATES) != view.is_open:
        st.rerun()
    if now["phase"] != view.comparison["phase"]:  # its final runs have begun
        st.rerun()
    current = View(view.client, now, view.catalogue)
    if now["phase"] == "search":
        st.html(search_html(now))
    if tab != "tuning" and tuning.lacks_final_runs(now):  # that tab says it itself
        tuning.show_problems(view.client.tuning(view.id))
    TABS[tab](current)


def chosen_trial(view: View) -> tuple[TunedArm, Trial] | None:
    """Return the trial whose run the address names; None for the comparison's own runs."""
    run = st.query_params.get(sections.RUN, "")
    if not run or view.comparison["phase"] is None:
        return None
    return trial_of_run(view.client.tuning(view.id), run)


def show_curves_of_run(view: View, trial: tuple[TunedArm, Trial], run: str) -> None:
    """Say whose curves are shown, with the way back."""
    found = view.client.tuning(view.id)
    titles = setting_titles(found, view.comparison["spec"], view.catalogue)
    st.html(STYLE_FILE)
    st.html(f"<div class='lb-verdict'>{trial_html(*trial, run, titles)}</div>")
    if st.button("Back to the search", icon=":material/arrow_back:", key="comparison_back"):
        sections.leave_run()


def show_comparison(client: Api, comparison: ComparisonDetail) -> None:
    """Draw the whole page of one comparison."""
    view = View(client, comparison, client.catalogue())
    upload = read_upload(client, comparison)
    show_head(view, upload)
    tab = sections.choose_tab(view.id, tuned=comparison["phase"] is not None)
    st.set_page_config(page_title=f"{sections.TITLES[tab]} · {comparison['name']} · Lossboard")
    with st.container():  # also without notes, so that what follows keeps its place
        show_notes(comparison["notes"] if tab == sections.FIRST_TAB else "")
    trial = chosen_trial(view) if tab in sections.LIVE_TABS else None
    run = st.query_params[sections.RUN] if trial else ""
    if trial:
        show_curves_of_run(view, trial, run)
    component.mount_live(
        component.live_data(
            comparison_id=view.id,
            name=view.name,
            tab=tab,
            turned=sections.turned(),
            arms=view.arms,
            is_open=view.is_open,
            metrics=view.catalogue["metrics"],
            **measured_data(
                comparison["spec"], view.catalogue, fine_upload=upload and upload["has_fine"]
            ),
            reductions=reductions_text(comparison["spec"]),
            searching=comparison["phase"] == "search" and trial is None,
            run=run,
            run_arm=trial[0]["name"] if trial else "",
        )
    )
    if trial:
        return

    @st.fragment(run_every=POLL_S if view.is_open and tab not in SELF_UPDATING else None)
    def content() -> None:
        try:
            show_tab(view, tab)
        except ApiError as error:
            st.caption(f"This part cannot be read now: {error.message}")

    content()


def show_missing(comparison_id: str) -> None:
    """Say that there is no such comparison, and link to the list."""
    st.set_page_config(page_title="No such comparison · Lossboard")
    st.title("No such comparison")
    if comparison_id:
        st.write("There is no comparison with this id; it may have been deleted.")
    else:
        st.write("The link has no comparison id.")
    st.page_link("app_pages/comparisons.py", label="All comparisons", icon=":material/arrow_back:")


def show_error(error: ApiError) -> None:
    """Say why the page shows nothing, and that nothing is lost."""
    st.title("The comparison cannot be shown now")
    st.write(error.message)
    st.caption("Runs continue, and their results are stored.")
    retry_button(api(), error, key="comparison_again")


requested = st.query_params.get("id", "")
try:
    found = read_comparison(api(), requested) if requested else None
    if found is None:
        show_missing(requested)
    else:
        show_comparison(api(), found)
except ApiError as error:
    show_error(error)
