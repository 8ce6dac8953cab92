"""Widgets that several pages use: retry, first-read spinner, paging, copy link; and the theme."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Final

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from frontend.api.client import Api
from frontend.errors import ApiAwayError, ApiError
from frontend.ui.theme import Theme

RETRY_EVERY_S: Final = 3.0


def retry_button(client: Api, error: ApiError, *, key: str) -> None:
    """Draw a button that tries again; if the API was away, rerun the page as soon as it answers.

    Args:
        client: the session's client.
        error: why the page shows nothing. Only an API that was away is asked again by itself;
            other errors wait for the button.
        key: key of the button.
    """
    st.button("Try again", icon=":material/refresh:", key=key)
    if not isinstance(error, ApiAwayError):
        return
    first_run = True

    @st.fragment(run_every=RETRY_EVERY_S)
    def ask_again() -> None:
        nonlocal first_run
        if first_run:  # the page itself has asked a moment ago
            first_run = False
            return
        try:
            client.ready()
        except ApiError:
            return
        st.rerun()

    ask_again()


@contextmanager
def first_read_spinner(what: str) -> Iterator[None]:
    """Show "Reading the <what> …" while the block runs, but only once in a session.

    Otherwise a page that reads again by itself would jump each time that the answer is slow.
    """
    key = f"loading_{what}"
    shown = nullcontext() if key in st.session_state else st.spinner(f"Reading the {what} …")
    with shown:
        yield
    st.session_state[key] = True


def current_page() -> int:
    """Return the page number in the address; 1 if there is none."""
    asked = st.query_params.get("page", "1")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) <= 6 else 1


def paging_buttons(page: int, last: int, text: str, *, back: str, on: str, key: str) -> None:
    """Draw two buttons that turn the pages of a list, with a text between them.

    Args:
        page: number of the page that is shown.
        last: number of the last page.
        text: text between the buttons, such as "page 2 of 7".
        back: label of the button to the previous page.
        on: label of the button to the next page.
        key: key of the list; the keys of the buttons are made of it and their labels.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button(back, disabled=page <= 1, key=f"{key}_{back.lower()}"):
            st.query_params["page"] = str(page - 1)
            st.rerun()
        st.caption(text, width="content")
        if st.button(on, disabled=page >= last, key=f"{key}_{on.lower()}"):
            st.query_params["page"] = str(page + 1)
            st.rerun()


_FOLDER: Final = Path(__file__).parent

_copy_link = st.components.v2.component(
    "lossboard_copy_link",
    js=(_FOLDER / "copy_link.js").read_text(encoding="utf-8"),
    css=(_FOLDER / "copy_link.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def copy_link_button(label: str = "Copy link") -> None:
    """Draw a button that copies the page's address with all that is chosen; at most one a page."""
    _copy_link(key="copy_link", data={"label": label}, width="content")


def copy_text_button(text: str, label: str, *, key: str) -> None:
    """Draw a button that copies a text."""
    _copy_link(key=key, data={"label": label, "text": text}, width="content")


def viewer_theme() -> Theme:
    """Return the theme in which the viewer sees the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


def came_by_history() -> bool:
    """Return whether the browser's Back or Forward button made the page run."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation
