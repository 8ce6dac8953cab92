"""The trail: who changed what. For admins, where there is a sign-in."""

from typing import Final

import streamlit as st

from frontend.api.types import AuditEntry
from frontend.errors import ApiError
from frontend.ui.session import api
from frontend.ui.text import pages
from frontend.ui.widgets import page_number, try_again, turn_pages

PAGE_SIZE: Final = 50
WHO: Final = "trail_who"


def outcome(status: int) -> str:
    """What a call came to, for people."""
    if status < 400:
        return "done"
    return {401: "refused: no token", 403: "refused: role", 429: "refused: too fast"}.get(
        status, f"not done ({status})"
    )


def rows(entries: list[AuditEntry]) -> dict[str, list[str]]:
    """The table's columns."""
    return {
        "When": [entry["at"] for entry in entries],
        "Who": [entry["who"] or "nobody known" for entry in entries],
        "Role": [entry["role"] for entry in entries],
        "Call": [f"{entry['method']} {entry['route']}" for entry in entries],
        "Of": [", ".join(entry["ids"].values()) for entry in entries],
        "Outcome": [outcome(entry["status"]) for entry in entries],
    }


def remember() -> None:
    """Keep the filter in the address; a new one starts at the first page."""
    st.query_params.from_dict({"who": who} if (who := st.session_state[WHO].strip()) else {})


def show() -> None:
    """The table with its filter."""
    who = st.query_params.get("who", "")
    st.text_input("Who", who, placeholder="anybody", key=WHO, on_change=remember, width=240)
    page = page_number()
    found = api().audit(who=who or None, page=page, page_size=PAGE_SIZE)
    if not found["entries"]:
        st.caption("Nothing yet: nobody has changed anything.")
        return
    st.dataframe(
        rows(found["entries"]),
        hide_index=True,
        width="stretch",
        key="trail_table",
        column_config={"When": st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm:ss")},
    )
    last = pages(found["total"], PAGE_SIZE)
    said = f"page {page} of {last}, newest of {found['total']:,} first"
    turn_pages(page, last, said, back="Newer", on="Older", key="trail")


st.title("Trail", anchor=False)
st.caption("Who changed what, the newest first, refused calls too. The last 100,000 are kept.")
try:
    show()
except ApiError as error:
    st.error(error.message)
    try_again(api(), error, key="trail_again")
