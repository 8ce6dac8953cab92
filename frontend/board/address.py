"""What the board shows, in its address: filters, order, columns and the saved view.

The address decides: the browser's Back button changes it but not the inputs. An input is set only
where it differs, because setting it removes a text that is being typed.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from frontend.ui.text import STATE_TEXTS

FILTERS: Final = ("q", "tag", "created_by", "state", "sort", "archived")
SORT_TITLES: Final = {
    "name": "name",
    "state": "what runs first",
    "result": "best result per data set",
}
ARCHIVE_TITLES: Final = {"yes": "the archive"}
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "state": STATE_TEXTS,
    "sort": SORT_TITLES,
    "archived": ARCHIVE_TITLES,
}
COLUMNS: Final = "columns"
VIEW: Final = "view"
PAGE: Final = "page"


def widget_key(name: str) -> str:
    """Return the key of the input for a parameter of the address."""
    return f"comparisons_{name}"


def filters_in_address() -> dict[str, str]:
    """Return the filters and the order in the address, and set the inputs to them."""
    chosen = {name: st.query_params.get(name, "") for name in FILTERS}
    for name, known in CHOICES.items():
        if chosen[name] not in known:
            chosen[name] = ""
    for name, value in chosen.items():
        set_input(name, value or None)
    return chosen


def set_input(name: str, value: object) -> None:
    """Set an input where it differs."""
    if (st.session_state.get(widget_key(name)) or None) != (value or None):
        st.session_state[widget_key(name)] = value


def filter_changed() -> None:
    """Put the filters into the address; a new filter starts at the first page."""
    for name in FILTERS:
        _put(name, st.session_state.get(widget_key(name)) or "")
    st.query_params.pop(PAGE, None)


def columns_in_address(known: Sequence[str]) -> list[str]:
    """Return the columns in the address that are known; empty for the usual ones."""
    asked = st.query_params.get(COLUMNS, "").split(",")
    return [name for name in dict.fromkeys(asked) if name in known]


def put_columns(columns: Sequence[str]) -> None:
    """Put the columns into the address; none for the usual ones."""
    _put(COLUMNS, ",".join(columns))


def show_only(values: Mapping[str, str]) -> None:
    """Put these parameters into the address, in place of all others."""
    st.query_params.from_dict({name: value for name, value in values.items() if value})


def _put(name: str, value: str) -> None:
    if value:
        st.query_params[name] = value
    else:
        st.query_params.pop(name, None)
