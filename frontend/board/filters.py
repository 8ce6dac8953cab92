"""The inputs above the board's table: filters, order and columns."""

from collections.abc import Mapping
from typing import Literal

import streamlit as st

from frontend.board import address
from frontend.board.table import COLUMN_TITLES, USUAL_COLUMNS
from frontend.ui.text import STATE_TEXTS

SEARCH_KEY = address.widget_key("q")


def draw_filters() -> dict[str, str]:
    """Draw the inputs. Returns the filters and the order in the address by name."""
    chosen = address.filters_in_address()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _text("q", "Search", "name, note or tag", width="stretch")
        _text("tag", "Tag", "any")
        _text("created_by", "By", "anybody")
        _choice("state", "State", STATE_TEXTS, "any")
        _choice("sort", "Sort by", address.SORT_TITLES, "newest")
        _choice("archived", "Show", address.ARCHIVE_TITLES, "on the board")
    return chosen


def choose_columns() -> list[str]:
    """Draw the choice of columns. Returns their names in the table's order."""
    asked = address.columns_in_address(list(COLUMN_TITLES))
    shown = [name for name in COLUMN_TITLES if name in (asked or USUAL_COLUMNS)]
    address.set_input("columns", shown)
    with st.popover("Columns", icon=":material/view_column:", width="content"):
        st.pills(
            "Columns of the table",
            list(COLUMN_TITLES),
            selection_mode="multi",
            format_func=COLUMN_TITLES.__getitem__,
            key=address.widget_key("columns"),
            on_change=_columns_changed,
            width=320,
        )
        st.caption("The link of this page keeps them. The name is always shown.", width=320)
    return shown


def _columns_changed() -> None:
    chosen = set(st.session_state.get(address.widget_key("columns")) or [])
    shown = [name for name in COLUMN_TITLES if name in chosen]
    address.put_columns([] if shown == list(USUAL_COLUMNS) else shown or ["name"])


def _text(
    name: str, label: str, placeholder: str, *, width: int | Literal["stretch"] = 150
) -> None:
    st.text_input(
        label,
        placeholder=placeholder,
        key=address.widget_key(name),
        on_change=address.filter_changed,
        width=width,
    )


def _choice(name: str, label: str, options: Mapping[str, str], placeholder: str) -> None:
    st.selectbox(
        label,
        list(options),
        index=None,
        placeholder=placeholder,
        key=address.widget_key(name),
        format_func=options.__getitem__,
        on_change=address.filter_changed,
        width=165,
    )
