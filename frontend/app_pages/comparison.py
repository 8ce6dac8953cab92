"""One comparison: its head, then a tab for each way to look at it."""

from collections.abc import Callable
from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import ComparisonDetail, Dataset
from frontend.comparison import html as comparison_html
from frontend.comparison.actions import menu
from frontend.comparison.spec_text import difference, facts, measures, reductions, settings
from frontend.comparison.tabs import sections, setup
from frontend.comparison.tabs.view import View
from frontend.errors import ApiError, MissingError
from frontend.export.menu import export_menu
from frontend.live import component
from frontend.live.component import Tab
from frontend.ui.session import api
from frontend.ui.text import OPEN, verbatim
from frontend.ui.widgets import try_again

POLL_S: Final = 3.0

CONTENT: Final[dict[Tab, Callable[[View], None]]] = {
    "live": sections.show_live,
    "geometry": sections.show_geometry,
    "retrieval": sections.show_retrieval,
    "space": sections.show_space,
    "verdict": sections.show_verdict,
    "setup": setup.show,
}
ALONE: Final[tuple[Tab, ...]] = ("space",)  # they look after themselves while runs go on


def read(client: Api, comparison_id: str) -> ComparisonDetail | None:
    """The comparison; None if there is none of that id."""
    try:
        return client.comparison(comparison_id)
    except MissingError:
        return None


def uploaded(client: Api, comparison: ComparisonDetail) -> Dataset | None:
    """The uploaded data set that it is made on, if it is."""
    dataset = comparison["spec"]["data"].get("dataset")
    try:
        return client.dataset(dataset) if dataset else None
    except MissingError:
        return None


def head(view: View, upload: Dataset | None) -> None:
    """Its name, what can be done with it, and what all its arms share."""
    comparison = view.comparison
    title, buttons = st.columns([1, 1], vertical_alignment="center")
    title.title(verbatim(comparison["name"]), anchor=False)
    with buttons.container(horizontal=True, horizontal_alignment="right", gap="small"):
        export_menu(view.client, comparison)
        menu(view.client, comparison)
    shared = facts(comparison["spec"], view.catalogue, upload["name"] if upload else "")
    rows = settings(comparison["spec"], view.catalogue)
    st.html(comparison_html.head(comparison, shared, difference(rows)))


def watched(view: View, tab: Tab) -> None:
    """The tab's content; reruns the page when the comparison has ended, started again or gone."""
    now = read(view.client, view.id)
    if now is None or (now["state"] in OPEN) != view.is_open:
        st.rerun()
    CONTENT[tab](View(view.client, now, view.catalogue))


def show(client: Api, comparison: ComparisonDetail) -> None:
    """The whole page of one comparison."""
    view = View(client, comparison, client.catalogue())
    upload = uploaded(client, comparison)
    head(view, upload)
    tab = sections.choose(view.id)
    component.mount(
        component.live_data(
            comparison_id=view.id,
            tab=tab,
            arms=view.arms,
            is_open=view.is_open,
            metrics=view.catalogue["metrics"],
            **measures(
                comparison["spec"], view.catalogue, fine_upload=upload and upload["has_fine"]
            ),
            reductions=reductions(comparison["spec"]),
        )
    )

    @st.fragment(run_every=POLL_S if view.is_open and tab not in ALONE else None)
    def content() -> None:
        try:
            watched(view, tab)
        except ApiError as error:
            st.caption(f"This part cannot be read now: {error.message}")

    content()


def not_found(comparison_id: str) -> None:
    """Say so, and show the way on."""
    st.title("No such comparison")
    if comparison_id:
        st.write("The address names a comparison that does not exist; it may have been deleted.")
    else:
        st.write("The address names no comparison.")
    st.page_link("app_pages/comparisons.py", label="All comparisons", icon=":material/arrow_back:")


def away(error: ApiError) -> None:
    """Say why there is nothing to see; nothing is lost."""
    st.title("The comparison cannot be shown now")
    st.write(error.message)
    st.caption("Runs go on without this page, and what they measure is kept.")
    try_again(api(), error, key="comparison_again")


requested = st.query_params.get("id", "")
try:
    found = read(api(), requested) if requested else None
    if found is None:
        not_found(requested)
    else:
        show(api(), found)
except ApiError as error:
    away(error)
