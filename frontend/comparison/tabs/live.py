"""Live: what the optimiser does; below the live panels."""

import streamlit as st

from frontend.comparison.tabs.tables import tables
from frontend.comparison.tabs.view import View


def show_live(view: View) -> None:
    """What the curves add up to."""
    if not tables(view, "live") and not view.is_open:
        st.caption("No run of this comparison came to a first step: nothing was measured.")
