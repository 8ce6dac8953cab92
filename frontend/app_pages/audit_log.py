"""The audit log, the page Audit log: who changed what. For admins, where there is a sign-in."""

from typing import Final

import streamlit as st

from frontend.api.types import AuditEntry
from frontend.errors import ApiError
from frontend.ui.session import api
from frontend.ui.text import page_count
from frontend.ui.widgets import current_page, paging_buttons, retry_button

PAGE_SIZE: Final = 50
WHO_KEY: Final = "trail_who"


def outcome(status: int) -> str:
    """Return in words how a call ended, by its HTTP status."""
    if status < 400:
        return "done"
    return {401: "refused: no token", 403: "refused: role", 429: "refused: too fast"}.get(
        status, f"not done ({status})"
    )


def columns(entries: list[AuditEntry]) -> dict[str, list[str]]:
    """Return the table's columns by title."""
    return {
        "When": [entry["at"] for entry in entries],
        "Who": [entry["who"] or "nobody known" for entry in entries],
        "Role": [entry["role"] for entry in entries],
        "Call": [f"{entry['method']} {entry['route']}" for entry in entries],
        "Of": [", ".join(entry["ids"].values()) for entry in entries],
        "Outcome": [outcome(entry["status"]) for entry in entries],
    }


def filter_changed() -> None:
    """Put the filter into the address; a new filter starts at the first page."""
    who = st.session_state[WHO_KEY].strip()
    st.query_params.from_dict({"who": who} if who else {})


def show_log() -> None:
    """Draw the table with its filter."""
    who = st.query_params.get("who", "")
    st.text_input(
        "Who", who, placeholder="anybody", key=WHO_KEY, on_change=filter_changed, width=240
    )
    page = current_page()
    found = api().audit(who=who or None, page=page, page_size=PAGE_SIZE)
    if not found["entries"]:
        st.caption("No changes recorded yet.")
        return
    st.dataframe(
        columns(found["entries"]),
        hide_index=True,
        width="stretch",
        key="trail_table",
        column_config={"When": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss")},
    )
    last = page_count(found["total"], PAGE_SIZE)
    text = f"page {page} of {last}, newest of {found['total']:,} first"
    paging_buttons(page, last, text, back="Newer", on="Older", key="trail")


st.title("Audit log", anchor=False)
st.caption("Who changed what, newest first, including refused calls. The last 100,000 are kept.")
try:
    show_log()
except ApiError as error:
    st.error(error.message)
    retry_button(api(), error, key="trail_again")
