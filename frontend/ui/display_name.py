"""Whose comparisons are: a name that the viewer types once, kept by the browser in a cookie.

A cookie and not the browser's own storage, for a visit brings it along: the first page is drawn
once, with the name in it.
"""

from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

import streamlit as st

from frontend.api.transport import Transport
from frontend.ui.text import verbatim

NAME_COOKIE: Final = "lossboard_user"
MAX_CHARS: Final = 80
"""As many as the API takes."""
NAME: Final = "who_name"  # where the session keeps the name, and its input's key
CHANGED: Final = "who_changed"  # whether it was typed in this session

_component = st.components.v2.component(
    "lossboard_remember",
    js=(Path(__file__).parent / "remember.js").read_text(encoding="utf-8"),
)


def who(client: Transport) -> None:
    """Ask for the name in the page's bar, and let the client's calls carry it."""
    if NAME not in st.session_state:
        kept = st.context.cookies.get(NAME_COOKIE)
        st.session_state[NAME] = unquote(kept)[:MAX_CHARS] if isinstance(kept, str) else ""
    name = client.user = str(st.session_state[NAME]).strip()
    with st.container(key="lb-who", width="content"):
        label = verbatim(name) if name else "Your name"
        with st.popover(label, icon=":material/person:", type="tertiary", width="content"):
            st.text_input(
                "Your name",
                key=NAME,
                max_chars=MAX_CHARS,
                placeholder="not told",
                width=320,
                on_change=changed,
            )
            st.caption(
                "What you submit from this browser goes by it. It tells your team who did "
                "something and protects nothing.",
                width=320,
            )
        if CHANGED in st.session_state:
            _component(key="remember", data={"name": NAME_COOKIE, "value": quote(name, safe="")})


def changed() -> None:
    """From now on this session's name is the browser's; until then nothing is written there."""
    st.session_state[CHANGED] = True
