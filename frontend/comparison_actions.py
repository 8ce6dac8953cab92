"""What can be done with one comparison of the board: open, change, cancel, delete."""

import streamlit as st

from frontend.api import Api
from frontend.api_types import Comparison
from frontend.comparison_table import OPEN, verbatim
from frontend.errors import ApiError


def row_actions(client: Api, chosen: Comparison | None) -> None:
    """The actions on the selected row, or how to get there."""
    if chosen is None:
        st.caption("Its name opens a comparison; select its row to change, cancel or delete it.")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{verbatim(chosen['name'])}**")
        with st.popover("Edit", icon=":material/edit:"):
            _edit(client, chosen)
        if chosen["state"] in OPEN:
            cancel(client, chosen["id"], key="comparisons_cancel")
        with st.popover("Delete", icon=":material/delete:"):
            st.write("It goes with all its runs and curves, and does not come back.")
            if st.button("Delete it", type="primary", key="comparisons_delete"):
                client.delete(chosen["id"])
                st.rerun()


def cancel(client: Api, comparison: str, *, key: str) -> None:
    """The button that ends a comparison's runs, once it is confirmed."""
    with st.popover("Cancel", icon=":material/stop_circle:"):
        st.write("End all its runs? What was measured stays.")
        if st.button("End the runs", type="primary", key=key):
            client.cancel(comparison)
            st.rerun()


def _edit(client: Api, chosen: Comparison) -> None:
    """Name, tags and notes; what was run stays as it was. A form, so that the board's looking
    again takes nothing away that is half typed."""
    with st.form(f"comparisons_edit_{chosen['id']}", border=False):
        name = st.text_input("Name", chosen["name"])
        tags = st.text_input("Tags", ", ".join(chosen["tags"]))
        notes = st.text_area("Notes", chosen["notes"])
        if not st.form_submit_button("Save", type="primary"):
            return
    kept = [tag.strip() for tag in tags.split(",") if tag.strip()]
    try:
        client.patch(chosen["id"], name=name, tags=kept, notes=notes)
    except ApiError as error:
        for path, message in error.fields or (("", error.message),):
            st.error(f"{path}: {message}" if path else message)
    else:
        st.rerun()
