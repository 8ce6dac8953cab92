"""The board: all comparisons, newest first, with their state and actions."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import View
from frontend.board import address, bulk, views
from frontend.board.filters import choose_columns, draw_filters
from frontend.board.table import (
    comparisons_table,
    has_open,
    preparation_texts,
    workers_line,
)
from frontend.comparison.actions import board_dialog, row_actions
from frontend.errors import ApiError
from frontend.ui.session import api
from frontend.ui.text import escape_markdown, page_count
from frontend.ui.widgets import current_page, first_read_spinner

PAGE_SIZE: Final = 25
READ_EVERY_S: Final = 2.0
WATCHING_KEY: Final = "comparisons_watching"  # whether the board reads itself again


def show_empty(chosen: Mapping[str, str]) -> None:
    """Say that there is no comparison to show, and what to do."""
    filtered = any(chosen[name] for name in address.FILTERS if name not in ("archived", "sort"))
    with st.container(border=True):
        if chosen["archived"] and not filtered:
            st.markdown("**The archive is empty**")
            st.caption(
                "Archived comparisons keep all their results. To archive one, select its row on "
                "the board, then More, Archive."
            )
        elif filtered:
            st.markdown("**Nothing matches**")
            st.caption("No comparison matches the filters.")
            if st.button("Show all", icon=":material/filter_alt_off:", key="comparisons_all"):
                st.query_params.clear()
                st.rerun()
        else:
            st.markdown("**No comparison yet**")
            st.caption(
                "Pick a preset, press start, and watch the losses train: the first curves appear "
                "within seconds."
            )
            with st.container(horizontal=True):
                st.page_link(
                    "app_pages/new_comparison.py",
                    label="Start the first one",
                    icon=":material/add:",
                )
                st.page_link(
                    "app_pages/method.py",
                    label="What is measured",
                    icon=":material/menu_book:",
                )


def turn_pages(total: int, page: int) -> None:
    """Draw the buttons to older and newer comparisons."""
    last = page_count(total, PAGE_SIZE)
    if last == 1:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if st.button("Newer", disabled=page <= 1, key="comparisons_newer"):
            st.query_params["page"] = str(page - 1)
            st.rerun()
        st.caption(f"page {page} of {last}, {total} comparisons")
        if st.button("Older", disabled=page >= last, key="comparisons_older"):
            st.query_params["page"] = str(page + 1)
            st.rerun()


def board(client: Api, chosen: dict[str, str], columns: Sequence[str], *, watching: bool) -> None:
    """Draw the line about workers, the table, and the actions on its selected row."""
    page = current_page()
    try:
        with first_read_spinner("board"):
            found = client.comparisons(
                q=chosen["q"],
                tag=chosen["tag"],
                state=chosen["state"],
                created_by=chosen["created_by"],
                archived=bool(chosen["archived"]),
                sort=chosen["sort"],
                page=page,
                page_size=PAGE_SIZE,
            )
            preparing = preparation_texts(client, found)
            line = workers_line(client.workers(), client.ready())
    except ApiError as error:
        show_error(error)
        set_watching(needed=True, watching=watching)
        return
    st.caption(line)
    last = page_count(found["total"], PAGE_SIZE)
    if page > last:  # from an old address, or the comparisons of this page were deleted
        st.query_params["page"] = str(last)
        st.rerun()
    if found["comparisons"]:
        selected = comparisons_table(found, preparing, columns)
        try:
            if len(selected) > 1:
                bulk.bulk_actions(client, selected)
            else:
                row_actions(client, selected[0] if selected else None)
        except ApiError as error:  # the comparison changed meanwhile, or the API is away
            st.error(f"Not done: {escape_markdown(error.message)}")
    else:
        show_empty(chosen)
    turn_pages(found["total"], page)
    set_watching(needed=has_open(found["comparisons"]), watching=watching)


def set_watching(*, needed: bool, watching: bool) -> None:
    """Start or stop the board's reading itself again."""
    if needed != watching:
        st.session_state[WATCHING_KEY] = needed
        st.rerun()  # the whole page: how often the board runs is set outside the board


def show_error(error: ApiError) -> None:
    """Say why the page shows nothing, and that nothing is lost."""
    with st.container(border=True):
        st.markdown("**The board cannot be read now**")
        st.write(error.message)
        st.caption("Runs continue. This page retries automatically.")


def read_views(client: Api) -> list[View] | None:
    """Read the saved views; None while the API is away, which the board says."""
    try:
        return client.views()
    except ApiError:
        return None


st.title("Comparisons", anchor=False)
saved = read_views(api())
current = views.open_view(saved)
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    views.choose_view(saved or [], current)
    columns = choose_columns()
    menu = st.container(width="content")
    st.space("stretch")
    st.page_link("app_pages/new_comparison.py", label="New comparison", icon=":material/add:")
chosen = draw_filters()
with menu:
    views.view_menu(api(), current, chosen)
bulk.show_problems()
watching = st.session_state.setdefault(WATCHING_KEY, True)
st.fragment(board, run_every=READ_EVERY_S if watching else None)(
    api(), chosen, columns, watching=watching
)
try:
    board_dialog(api())
    bulk.bulk_dialog(api())
except ApiError as error:
    show_error(error)
