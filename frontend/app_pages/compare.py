"""Compare: arms of any comparisons side by side."""

from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Catalogue
from frontend.compare import arm_table, tables, url_state
from frontend.compare.curves_section import show_curves
from frontend.compare.scatter_section import show_scatter
from frontend.compare.selection import Selection
from frontend.errors import ApiError
from frontend.ui.session import api
from frontend.ui.text import OPEN_STATES, escape_markdown, page_count
from frontend.ui.widgets import current_page, retry_button

READ_EVERY_S: Final = 5.0
"""How often the values of arms that still train are read again."""


def list_arms(client: Api, catalogue: Catalogue) -> None:
    """Draw the table of all arms, with its filters and pages."""
    wanted = arm_table.filters(catalogue)
    page = current_page()
    found = client.arms(**wanted, page=page, page_size=arm_table.PAGE_SIZE)
    last = page_count(found["total"], arm_table.PAGE_SIZE)
    if page > last:  # from an old address, or the arms of this page were deleted
        st.query_params["page"] = str(last)
        st.rerun()
    if found["arms"]:
        arm_table.arms_table(found, {row["kind"]: str(row["label"]) for row in catalogue["losses"]})
    else:
        show_empty(filtered=any(wanted[name] for name in ("q", "tag", "loss", "data", "state")))
    arm_table.list_footer(found["total"], page)


def show_empty(*, filtered: bool) -> None:
    """Say that there is no arm to show, and what to do."""
    with st.container(border=True):
        if filtered:
            st.markdown("**Nothing matches**")
            st.caption("No arm matches the filters. Your selection is kept.")
        else:
            st.markdown("**No arm yet**")
            st.caption("Every arm of every comparison is listed here automatically.")
            st.page_link(
                "app_pages/new_comparison.py", label="New comparison", icon=":material/add:"
            )


def compare_arms(client: Api, catalogue: Catalogue) -> None:
    """Draw the chosen arms side by side."""
    references = url_state.chosen_arms()
    if url_state.too_many():
        st.warning(
            f"{url_state.MAX_ARMS} arms can be compared at once; the "
            "first ones in the link are shown."
        )
    found = client.arm_values(references) if references else None
    if found and found["unknown"]:
        named = ", ".join(f"`{one}`" for one in found["unknown"])
        st.warning(
            f"This link names arms that do not exist: {named}. They may have been deleted; the "
            "others are shown.",
            icon=":material/link_off:",
        )
    chosen = Selection.from_api(found, catalogue["metrics"]) if found else None
    if chosen:
        arm_table.chosen_arms_input(dict(zip(chosen.references, chosen.names, strict=True)))
    if chosen is None or len(chosen.names) < 2:
        show_hint()
        return
    is_open = any(arm["state"] in OPEN_STATES for arm in chosen.found["arms"])
    every = READ_EVERY_S if is_open else None
    tables.show_states(chosen)
    st.header("Curves", anchor=False)
    st.fragment(show_curves, run_every=every)(client, chosen)
    st.header("Values", anchor=False)
    st.fragment(tables.show_values, run_every=every)(client, chosen)
    st.header("Settings that differ", anchor=False)
    tables.show_settings(chosen)
    st.header("Settings against metrics", anchor=False)
    st.fragment(show_scatter, run_every=every)(client, chosen)


def show_hint() -> None:
    """Say how to choose arms."""
    with st.container(border=True):
        st.markdown("**Choose two arms or more**")
        st.caption(
            "Select their rows above, from any comparison: curves, values and settings appear side "
            "by side. The link of this page keeps the selection."
        )


def show_error(error: ApiError) -> None:
    """Say why the page shows nothing, and that nothing is lost."""
    with st.container(border=True):
        st.markdown("**The arms cannot be read now**")
        st.write(escape_markdown(error.message))
        st.caption("Your selection is kept in the link.")
        retry_button(api(), error, key="compare_again")


st.title("Compare", anchor=False)
try:
    catalogue = api().catalogue()
    list_arms(api(), catalogue)
    compare_arms(api(), catalogue)
except ApiError as error:
    show_error(error)
