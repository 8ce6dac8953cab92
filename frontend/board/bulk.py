"""Actions on several comparisons of the board at once: compare, archive, tag, delete.

Each comparison is changed by a call of its own, wholly or not at all. What does not work is told
with the comparison's name; the others are done.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import streamlit as st

from frontend.api.client import SEPARATOR, Api
from frontend.api.types import Comparison, Size
from frontend.comparison.actions import ICONS, freed_html
from frontend.errors import ApiError, MissingError
from frontend.ui.session import role_button
from frontend.ui.tags import parse_tags
from frontend.ui.text import OPEN_STATES, count_text, escape_markdown

MAX_ARMS: Final = 40
"""The API's limit on arms that are compared at once."""
MAX_NAMED: Final = 10
"""Comparisons that a dialog names; of more it says how many."""
DIALOG_KEY: Final = "comparisons_bulk"  # (dialog, comparisons) that is open
PROBLEMS_KEY: Final = "comparisons_bulk_problems"
TAG: Final = "tag"
DELETE: Final = "delete"

Problems = list[tuple[str, str]]
"""Name of a comparison, and why nothing was done with it."""


def bulk_actions(client: Api, chosen: Sequence[Comparison]) -> None:
    """Draw the buttons for the chosen rows, of which there are several."""
    arms = [f"{one['id']}{SEPARATOR}{arm}" for one in chosen for arm in one["arms"]]
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{count_text(len(chosen), 'comparison')}**", width="content")
        too_many = len(arms) > MAX_ARMS
        if st.button(
            "Compare",
            icon=":material/ssid_chart:",
            key="bulk_compare",
            disabled=too_many,
            help=f"They have {len(arms)} arms; at most {MAX_ARMS} can be compared at once."
            if too_many
            else None,
        ):
            st.switch_page("app_pages/compare.py", query_params={"arm": arms})
        archived = all(one["archived"] for one in chosen)
        label = "Bring back" if archived else "Archive"
        icon = ":material/unarchive:" if archived else ":material/archive:"
        if role_button("editor", label, icon=icon, key="bulk_archive"):
            note(for_each(chosen, lambda own: client.patch(own, archived=not archived)))
            st.rerun()
        if role_button("editor", "Tag", icon=":material/label:", key="bulk_tag"):
            _open(TAG, chosen)
        if role_button("admin", "Delete", icon=":material/delete:", key="bulk_delete"):
            _open(DELETE, chosen)


def show_problems() -> None:
    """Say what the last action could not do, until it is closed."""
    problems: Problems = st.session_state.get(PROBLEMS_KEY, [])
    if not problems:
        return
    lines = "\n".join(
        f"- **{escape_markdown(name)}**: {escape_markdown(message)}" for name, message in problems
    )
    st.error(f"Not done for {count_text(len(problems), 'comparison')}:\n{lines}")
    if st.button("Close", key="bulk_problems_close"):
        st.session_state.pop(PROBLEMS_KEY, None)
        st.rerun()


def note(problems: Problems) -> None:
    """Keep what did not work, to show it on the page."""
    st.session_state[PROBLEMS_KEY] = problems


def for_each(chosen: Sequence[Comparison], change: Callable[[str], object]) -> Problems:
    """Change each comparison; return those where it did not work, and why.

    One that is gone meanwhile counts as done where it was to be deleted, and else as a problem.
    """
    problems = []
    for one in chosen:
        try:
            change(one["id"])
        except ApiError as error:
            problems.append((one["name"], error.message))
    return problems


def bulk_dialog(client: Api) -> None:
    """Draw the dialog that is open.

    Call this outside the fragment that reruns by itself: its rerun would remove the dialog.
    """
    which, ids = st.session_state.get(DIALOG_KEY, ("", ()))
    if not which:
        return
    found = []
    for own in ids:
        try:
            found.append(client.comparison(own))
        except MissingError:  # it was deleted a moment ago
            continue
    if found:
        _DIALOGS[which](client, found)
    else:
        close_dialog()


def close_dialog() -> None:
    """Close the dialog that is open."""
    st.session_state.pop(DIALOG_KEY, None)


@st.dialog("Tag several comparisons", on_dismiss=close_dialog)
def _tag_dialog(client: Api, chosen: Sequence[Comparison]) -> None:
    st.markdown(named(chosen))
    text = st.text_input("Tags to add", placeholder="thesis, chapter 3", key="bulk_tags_add")
    present = sorted({tag for one in chosen for tag in one["tags"]})
    removed = st.multiselect("Tags to remove", present, key="bulk_tags_remove")
    added = list(dict.fromkeys(parse_tags(text)))
    both = sorted(set(added) & set(removed))
    if both:
        st.error(f"“{escape_markdown(both[0])}” is to be added and removed: choose one.")
    if st.button(
        "Change the tags",
        type="primary",
        disabled=not (added or removed) or bool(both),
        key="bulk_tags_apply",
    ):
        note(
            for_each(
                chosen, lambda own: client.patch(own, add_tags=added, remove_tags=list(removed))
            )
        )
        close_dialog()
        st.rerun()


@st.dialog("Delete several comparisons", on_dismiss=close_dialog)
def _delete_dialog(client: Api, chosen: Sequence[Comparison]) -> None:
    st.markdown(named(chosen))
    st.markdown(
        f"**{count_text(len(chosen), 'comparison')}** will be permanently deleted with all runs."
    )
    try:
        st.html(freed_html(sum_sizes([client.size(one["id"]) for one in chosen])))
    except ApiError as error:
        st.caption(f"How much that frees cannot be told now: {escape_markdown(error.message)}")
    unfinished = sum(one["state"] in OPEN_STATES for one in chosen)
    if unfinished:
        st.caption(f":material/warning: {unfinished} of them not finished; their runs are stopped.")
    if st.button("Delete them", type="primary", icon=ICONS["Delete"], key="bulk_delete_all"):
        note(for_each(chosen, lambda own: _delete(client, own)))
        close_dialog()
        st.rerun()


def _delete(client: Api, comparison: str) -> None:
    try:
        client.delete(comparison)
    except MissingError:  # somebody else was quicker
        return


def named(chosen: Sequence[Mapping[str, object]]) -> str:
    """Return the names of the comparisons as a list in Markdown."""
    lines = [f"- {escape_markdown(str(one['name']))}" for one in chosen[:MAX_NAMED]]
    more = len(chosen) - MAX_NAMED
    return "\n".join([*lines, f"- and {more} more"] if more > 0 else lines)


def sum_sizes(sizes: Sequence[Size]) -> Size:
    """Return what deleting several comparisons frees; blobs that they share count in none."""
    return {
        "runs": sum(one["runs"] for one in sizes),
        "points": sum(one["points"] for one in sizes),
        "bytes": sum(one["bytes"] for one in sizes),
    }


def _open(which: str, chosen: Sequence[Comparison]) -> None:
    """Open a dialog and rerun the whole page, as a rerun of a fragment would remove the dialog."""
    st.session_state.pop(PROBLEMS_KEY, None)
    st.session_state[DIALOG_KEY] = (which, tuple(one["id"] for one in chosen))
    st.rerun()


_DIALOGS: Final[dict[str, Callable[[Api, Sequence[Comparison]], None]]] = {
    TAG: _tag_dialog,
    DELETE: _delete_dialog,
}
