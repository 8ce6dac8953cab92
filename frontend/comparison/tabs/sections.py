"""Which tab there are, and which of them an address asks for."""

from typing import Final

import streamlit as st

from frontend.live.component import Tab

TITLES: Final[dict[Tab, str]] = {
    "live": "Live",
    "geometry": "Geometry",
    "retrieval": "Retrieval & classification",
    "space": "Embedding space",
    "verdict": "Verdict",
    "setup": "Set-up & logs",
}
"""In the page's order; the names stand in addresses."""

KEY: Final = "comparison_tab"
_SHOWN: Final = "comparison_shown"


def choose(comparison_id: str) -> Tab:
    """Draw the row of tabs; the chosen one.

    The browser writes it into the address, beside what the live view and the embedding space keep
    there: Streamlit would put back the address as it knows it, without theirs.
    """
    asked = st.query_params.get("tab", "live")
    known: dict[str, Tab] = {name: name for name in TITLES}
    if st.session_state.get(_SHOWN) != comparison_id:  # a new page: the address decides
        st.session_state[_SHOWN] = comparison_id
        st.session_state[KEY] = TITLES[known.get(asked, "live")]
    st.tabs(list(TITLES.values()), key=KEY, on_change="rerun")
    title = st.session_state.get(KEY)
    return next((name for name, shown in TITLES.items() if shown == title), "live")
