"""The board: all comparisons, newest first, with their state and actions."""

from collections.abc import Mapping
from typing import Final, Literal

import streamlit as st

from frontend.api.client import Api
from frontend.board.table import (
    comparisons_table,
    has_open,
    preparation_texts,
    workers_line,
)
from frontend.comparison.actions import board_dialog, row_actions
from frontend.errors import ApiError
from frontend.ui.session import api
from frontend.ui.text import STATE_TEXTS, escape_markdown, page_count
from frontend.ui.widgets import current_page, first_read_spinner

PAGE_SIZE: Final = 25
READ_EVERY_S: Final = 2.0
FILTERS: Final = ("q", "tag", "created_by", "state", "sort", "archived")
SORT_TITLES: Final = {"name": "name", "state": "running first"}
ARCHIVE_TITLES: Final = {"yes": "the archive"}
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "state": STATE_TEXTS,
    "sort": SORT_TITLES,
    "archived": ARCHIVE_TITLES,
}
WATCHING_KEY: Final = "comparisons_watching"  # whether the board reads itself again


def filter_changed() -> None:
    """Put the filters into the address; a new filter starts at the first page."""
    for name in FILTERS:
        value = st.session_state.get(f"comparisons_{name}") or ""
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
    st.query_params.pop("page", None)


def filters_in_address() -> dict[str, str]:
    """Return the filters of the address, and set the inputs to them.

    The address decides: the browser's Back button changes it but not the inputs. An input is set
    only where it differs, because setting it removes a text that is being typed.
    """
    chosen = {name: st.query_params.get(name, "") for name in FILTERS}
    for name, known in CHOICES.items():
        if chosen[name] not in known:
            chosen[name] = ""
    for name, value in chosen.items():
        if (st.session_state.get(f"comparisons_{name}") or "") != value:
            st.session_state[f"comparisons_{name}"] = value or None
    return chosen


def filters() -> dict[str, str]:
    """Draw the filter inputs. Returns the filters of the address by name."""
    chosen = filters_in_address()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text_filter("q", "Search", "name, note or tag", width="stretch")
        text_filter("tag", "Tag", "any")
        text_filter("created_by", "By", "anybody")
        choice_filter("state", "State", STATE_TEXTS, "any")
        choice_filter("sort", "Sort by", SORT_TITLES, "newest")
        choice_filter("archived", "Show", ARCHIVE_TITLES, "on the board")
    return chosen


def text_filter(
    name: str, label: str, placeholder: str, *, width: int | Literal["stretch"] = 150
) -> None:
    """Draw a filter that is typed."""
    key = f"comparisons_{name}"
    st.text_input(label, placeholder=placeholder, key=key, on_change=filter_changed, width=width)


def choice_filter(name: str, label: str, options: Mapping[str, str], placeholder: str) -> None:
    """Draw a filter that is chosen from a list."""
    st.selectbox(
        label,
        list(options),
        index=None,
        placeholder=placeholder,
        key=f"comparisons_{name}",
        format_func=options.__getitem__,
        on_change=filter_changed,
        width=165,
    )


def show_empty(chosen: Mapping[str, str]) -> None:
    """Say that there is no comparison to show, and what to do."""
    filtered = any(chosen[name] for name in FILTERS if name not in ("archived", "sort"))
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


def board(client: Api, chosen: dict[str, str], *, watching: bool) -> None:
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
        selected = comparisons_table(found, preparing)
        try:
            row_actions(client, selected)
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


left, right = st.columns([4, 1], vertical_alignment="bottom")
left.title("Comparisons", anchor=False)
with right.container(horizontal=True, horizontal_alignment="right"):
    st.page_link("app_pages/new_comparison.py", label="New comparison", icon=":material/add:")
watching = st.session_state.setdefault(WATCHING_KEY, True)
st.fragment(board, run_every=READ_EVERY_S if watching else None)(
    api(), filters(), watching=watching
)
try:
    board_dialog(api())
except ApiError as error:
    show_error(error)
