"""Long lists in pages: which one the address names, and the way to the next."""

import streamlit as st


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
