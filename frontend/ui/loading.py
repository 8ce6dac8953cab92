"""Says that a page is being read: the first time, for later it changes in place."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import streamlit as st


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Show "Reading the <what> …" for as long as the block takes, once in a session.

    A page that looks again by itself would else jump each time that the answer takes long.
    """
    key = f"loading_{what}"
    shown = nullcontext() if key in st.session_state else st.spinner(f"Reading the {what} …")
    with shown:
        yield
    st.session_state[key] = True
