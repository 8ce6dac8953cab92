"""What can be done with one comparison of the board."""

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Comparison
from frontend.comparison.actions import BOARD, asked_on, buttons, close, dialog
from frontend.errors import MissingError
from frontend.ui.text import verbatim


def row_actions(client: Api, chosen: Comparison | None) -> None:
    """The actions on the selected row, or how to get there."""
    if chosen is None:
        st.caption("Its name opens a comparison; select its row to change, cancel or delete it.")
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{verbatim(chosen['name'])}**", width="content")
        buttons(client, chosen, place=BOARD)


def open_dialog(client: Api) -> None:
    """The dialog that was opened from a row. To be called outside what looks again by itself: that
    would take it away."""
    if own := asked_on(BOARD):
        try:
            dialog(client, client.comparison(own), place=BOARD)
        except MissingError:  # somebody has deleted it just now
            close()
