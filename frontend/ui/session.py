"""What the entry hands to the pages of one viewer's session."""

from typing import Final

import streamlit as st

from frontend.api.client import Api

API_KEY: Final = "api"
"""Where the session's client stands in st.session_state."""


def api() -> Api:
    """The client that the entry created.

    Raises:
        KeyError: a page runs without the entry.
    """
    client = st.session_state[API_KEY]
    if not isinstance(client, Api):
        raise KeyError(API_KEY)
    return client
