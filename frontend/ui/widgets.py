"""The way back for a page that could not read the API: a button, and a look every few seconds.

The way back for a page that could not read the API: a button, and a look every few seconds.

Says that a page is being read: the first time, for later it changes in place.

Long lists in pages: which one the address names, and the way to the next.

A button that copies the address of exactly what one sees.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
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


def page_number() -> int:
    """The page that the address names; the first where it names none."""
    asked = st.query_params.get("page", "1")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) <= 6 else 1


def turn_pages(page: int, last: int, said: str, *, back: str, on: str, key: str) -> None:
    """Two buttons with what is shown between them.

    Args:
        page: the page that is shown.
        last: how many there are.
        said: between the buttons, as "page 2 of 7".
        back: the label that leads to the page before.
        on: the label that leads to the page behind.
        key: of the list; the buttons' keys are made of it and their labels.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(back, disabled=page <= 1, key=f"{key}_{back.lower()}"):
            st.query_params["page"] = str(page - 1)
            st.rerun()
        st.caption(said, width="content")
        if st.button(on, disabled=page >= last, key=f"{key}_{on.lower()}"):
            st.query_params["page"] = str(page + 1)
            st.rerun()


HERE: Final = Path(__file__).parent

_component = st.components.v2.component(
    "lossboard_copy_link",
    js=(HERE / "copy_link.js").read_text(encoding="utf-8"),
    css=(HERE / "copy_link.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def copy_link(label: str = "Copy link") -> None:
    """Draw the button; one a page."""
    _component(key="copy_link", data={"label": label}, width="content")
