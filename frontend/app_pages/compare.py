"""Compare: arms of any comparisons side by side."""

from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Catalogue
from frontend.compare import arm_table as choosing
from frontend.compare import tables as sections
from frontend.compare import url_state as address
from frontend.compare.curves_section import overlay
from frontend.compare.scatter_section import spread
from frontend.compare.selection import Chosen
from frontend.errors import ApiError
from frontend.ui.session import api
from frontend.ui.text import OPEN, pages, verbatim
from frontend.ui.widgets import page_number, try_again

EVERY_S: Final = 5.0  # how often what arms that still train have measured is read again


def pick(client: Api, catalogue: Catalogue) -> None:
    """The table of all arms."""
    wanted = choosing.filters(catalogue)
    page = page_number()
    found = client.arms(**wanted, page=page, page_size=choosing.PAGE_SIZE)
    last = pages(found["total"], choosing.PAGE_SIZE)
    if page > last:  # an old address, or the page's comparisons were deleted
        st.query_params["page"] = str(last)
        st.rerun()
    if found["arms"]:
        choosing.table(found, {row["kind"]: str(row["label"]) for row in catalogue["losses"]})
    else:
        nothing(filtered=any(wanted[name] for name in ("q", "tag", "loss", "data", "state")))
    choosing.turn_pages(found["total"], page)


def nothing(*, filtered: bool) -> None:
    """No arm to show, and the way on."""
    with st.container(border=True):
        if filtered:
            st.markdown("**Nothing matches**")
            st.caption("No arm has all that the filters ask for; the chosen ones stay chosen.")
        else:
            st.markdown("**No arm yet**")
            st.caption("Every loss of every comparison comes here by itself.")
            st.page_link("app_pages/new.py", label="New comparison", icon=":material/add:")


def compare(client: Api, catalogue: Catalogue) -> None:
    """The chosen arms side by side."""
    asked = address.chosen()
    if address.too_many():
        st.warning(
            f"{address.MOST_ARMS} arms can be compared at once: those that the address names first."
        )
    found = client.arm_values(asked) if asked else None
    if found and found["unknown"]:
        named = ", ".join(f"`{one}`" for one in found["unknown"])
        st.warning(
            f"The address names arms that do not exist: {named}. They may have been deleted; the "
            "others are shown.",
            icon=":material/link_off:",
        )
    chosen = Chosen.of(found, catalogue["metrics"]) if found else None
    if chosen:
        choosing.chosen_arms(dict(zip(chosen.references, chosen.names, strict=True)))
    if chosen is None or len(chosen.names) < 2:
        hint()
        return
    is_open = any(arm["state"] in OPEN for arm in chosen.found["arms"])
    every = EVERY_S if is_open else None
    st.subheader("Curves", anchor=False)
    st.fragment(overlay, run_every=every)(client, chosen)
    st.subheader("Values", anchor=False)
    st.fragment(sections.values, run_every=every)(client, chosen)
    st.subheader("Settings in which they differ", anchor=False)
    sections.settings(chosen)
    st.subheader("Settings and metrics against each other", anchor=False)
    st.fragment(spread, run_every=every)(client, chosen)


def hint() -> None:
    """How to begin."""
    with st.container(border=True):
        st.markdown("**Choose two arms or more**")
        st.caption(
            "Tick their rows above, from any comparisons: their curves, values and settings come "
            "here side by side. The address keeps the choice, so a link shows others the same."
        )


def away(error: ApiError) -> None:
    """Say why there is nothing to see; nothing is lost."""
    with st.container(border=True):
        st.markdown("**The arms cannot be read now**")
        st.write(verbatim(error.message))
        st.caption("The choice stays in the address.")
        try_again(api(), error, key="compare_again")


st.title("Compare", anchor=False)
try:
    known = api().catalogue()
    pick(api(), known)
    compare(api(), known)
except ApiError as error:
    away(error)
