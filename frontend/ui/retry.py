"""The way back for a page that could not read the API: a button, and a look every few seconds."""

from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.errors import ApiAwayError, ApiError

EVERY_S: Final = 3.0


def try_again(client: Api, error: ApiError, *, key: str) -> None:
    """Draw the button; where the API was away, draw the page again as soon as it answers.

    Args:
        client: the session's.
        error: why there is nothing to see. Another reason than an API that is away stays until
            somebody asks again.
        key: the button's.
    """
    st.button("Try again", icon=":material/refresh:", key=key)
    if not isinstance(error, ApiAwayError):
        return
    drawn = False

    @st.fragment(run_every=EVERY_S)
    def look() -> None:
        nonlocal drawn
        if not drawn:  # the page itself has just been told
            drawn = True
            return
        try:
            client.ready()
        except ApiError:
            return
        st.rerun()

    look()
