"""The actions on one comparison: edit, add seeds, duplicate, archive, retry, cancel, delete.

They are used on the comparison's own page and on the board. A dialog stays open through reruns of
the page: the session keeps which dialog is open, and the page draws it again.
"""

from collections.abc import Callable, Sequence
from typing import Final

import streamlit as st

from frontend.alerts.receivers import CREATED_KEY, show_alerts
from frontend.api.client import Api
from frontend.api.types import Comparison, Size
from frontend.comparison.edit import SEEN_KEY, edit_form, show_problems
from frontend.comparison.template import template_form
from frontend.comparison.tuning.texts import own_runs
from frontend.comparison.verdict.more_replicates import MAX_SEEDS
from frontend.errors import ApiError, MissingError
from frontend.ui.dataset_text import file_size
from frontend.ui.replicates import SEED
from frontend.ui.seeds import SeedsError, format_seeds, parse_seeds
from frontend.ui.session import role_button, role_refusal
from frontend.ui.text import OPEN_STATES, escape_markdown
from frontend.ui.widgets import copy_link_button

SUGGESTED_SEEDS: Final = 3


def suggested_seeds(seeds: Sequence[int]) -> str:
    """Return a few seeds after the last one, as a text; "" if the comparison has its maximum."""
    room = min(SUGGESTED_SEEDS, MAX_SEEDS - len(seeds))
    first = max(seeds, default=-1) + 1
    return format_seeds(range(first, first + room)) if room > 0 else ""


def added_runs_text(comparison: Comparison, seeds: Sequence[int]) -> str:
    """Say how many runs these seeds add, and how many the comparison has then."""
    arms = len(comparison["arms"])
    added, before = len(seeds) * arms, len(comparison["seeds"]) * arms
    known = comparison["seeds"]
    has = f"It has seed{'' if len(known) == 1 else 's'} {format_seeds(known)} already"
    if not seeds:
        return f"{has}."
    ways = f"{_count(len(seeds), comparison['replicate_noun'])} × {_count(arms, 'arm')}"
    return f"{has}. {ways} = {_count(added, 'more run')}, {before + added} in all."


def freed_html(size: Size) -> str:
    """Return what a deletion frees, as HTML."""
    figures = (
        (f"{size['runs']:,}", "run" if size["runs"] == 1 else "runs"),
        (f"{size['points']:,}", "measured points"),
        (file_size(size["bytes"]), "of snapshots on disk"),
    )
    items = "".join(f"<div><b>{value}</b><span>{what}</span></div>" for value, what in figures)
    return f"<div class='lb-freed'>{items}</div>"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


DIALOG_KEY: Final = "comparison_dialog"  # (place, dialog, comparison) of the dialog that is open
FIRST_SHOWN_KEY: Final = "comparison_dialog_shown"  # the comparison as the dialog showed it first
BOARD: Final = "comparisons"
PAGE: Final = "comparison"
MORE_SEEDS: Final = "More seeds"
DUPLICATE: Final = "Duplicate and edit"
SAVE_TEMPLATE: Final = "Save as template"
ALERTS: Final = "Alerts"
ARCHIVE: Final = "Archive"
BRING_BACK: Final = "Bring back from the archive"
DELETE: Final = "Delete"
ICONS: Final = {
    MORE_SEEDS: ":material/repeat_on:",
    DUPLICATE: ":material/content_copy:",
    SAVE_TEMPLATE: ":material/bookmark_add:",
    ALERTS: ":material/notifications:",
    ARCHIVE: ":material/archive:",
    BRING_BACK: ":material/unarchive:",
    DELETE: ":material/delete:",
}


_NARROWER: Final = {
    "seed": "Intervals get narrower with the square root of the seeds.",
    "draw": "Each new seed draws data of its own, after those that are there.",
    "split": "Each new seed has a split of its own, after those that are there.",
}

ROLES: Final = {
    MORE_SEEDS: "editor",
    DUPLICATE: "editor",
    SAVE_TEMPLATE: "editor",
    ALERTS: "viewer",
    ARCHIVE: "editor",
    BRING_BACK: "editor",
    DELETE: "admin",
}
"""Action -> the role that it needs."""


def page_actions(client: Api, comparison: Comparison) -> None:
    """Draw the buttons and the open dialog on the comparison's own page."""
    action_buttons(client, comparison, place=PAGE)
    draw_dialog(client, comparison, place=PAGE)


def action_buttons(client: Api, comparison: Comparison, *, place: str) -> None:
    """Draw the buttons that the comparison's state allows.

    Args:
        client: the session's client.
        comparison: the comparison as it is now.
        place: PAGE or BOARD; the keys of the buttons begin with it.
    """
    own = comparison["id"]
    if comparison["state"] in OPEN_STATES:
        cancel_button(client, own, key=f"{place}_cancel")
    # Once there are final runs, trials stay as they are.
    runs = own_runs(comparison) if comparison["phase"] == "final" else comparison["runs"]
    lost = runs["failed"] + runs["cancelled"]
    # A search that was cancelled can be without a lost run: all had just ended.
    if (lost and comparison["state"] not in OPEN_STATES) or comparison["state"] == "cancelled":
        label = f"Retry {lost} run{'s' if lost > 1 else ''}" if lost else "Resume the search"
        if role_button("editor", label, icon=":material/replay:", key=f"{place}_retry"):
            client.retry(own)
            st.rerun()
    if role_button("editor", "Edit", icon=":material/edit:", key=f"{place}_edit"):
        _open_dialog(place, "Edit", own)
    if place == PAGE:
        copy_link_button()
    keeping = BRING_BACK if comparison["archived"] else ARCHIVE
    options = (MORE_SEEDS, DUPLICATE, SAVE_TEMPLATE, ALERTS, keeping, DELETE)
    allowed = [option for option in options if not role_refusal(ROLES[option])]
    chosen = st.menu_button(
        "More",
        allowed or options,  # Streamlit accepts no empty list
        icon=":material/more_horiz:",
        format_func=lambda option: f"{ICONS[option]} {action_label(option, comparison)}",
        key=f"{place}_more",
        disabled=not allowed,
        help=_other_actions_need(),
    )
    if chosen == DUPLICATE:
        st.switch_page("app_pages/new_comparison.py", query_params={"from": own})
    elif chosen == keeping:
        client.patch(own, archived=keeping == ARCHIVE)
        name = escape_markdown(comparison["name"])
        st.toast(f"“{name}” is {'in the archive' if keeping == ARCHIVE else 'on the board again'}.")
        st.rerun()
    elif chosen:
        _open_dialog(place, chosen, own)


def _other_actions_need() -> str | None:
    """Return what the viewer lacks for the actions that are left out of the menu."""
    if role_refusal("editor"):
        return "The other actions need the role editor."
    return "Deleting needs the role admin." if role_refusal("admin") else None


def cancel_button(client: Api, comparison: str, *, key: str) -> None:
    """Draw the button that ends a comparison's runs after a confirmation."""
    refusal = role_refusal("editor")
    with st.popover("Cancel", icon=":material/stop_circle:", disabled=bool(refusal), help=refusal):
        st.write("Stop all its runs? Results so far are kept.")
        if st.button("Stop the runs", type="primary", key=key):
            client.cancel(comparison)
            st.rerun()


def draw_dialog(client: Api, comparison: Comparison, *, place: str) -> None:
    """Draw the dialog that is open on this comparison at this place.

    A dialog that was left open at another place, by the browser's Back button, is closed.
    """
    where, which, own = st.session_state.get(DIALOG_KEY, ("", "", ""))
    if (where, own) == (place, comparison["id"]):
        DIALOGS[which](client, comparison)
    else:
        close_dialog()


def dialog_comparison(place: str) -> str:
    """Return the id of the comparison on which a dialog is open at this place; "" if none is."""
    where, _, own = st.session_state.get(DIALOG_KEY, ("", "", ""))
    return str(own) if where == place else ""


def close_dialog() -> None:
    """Close the dialog that is open."""
    st.session_state.pop(DIALOG_KEY, None)
    st.session_state.pop(FIRST_SHOWN_KEY, None)
    st.session_state.pop(SEEN_KEY, None)
    st.session_state.pop(CREATED_KEY, None)


@st.dialog("Edit", width="medium", on_dismiss=close_dialog)
def edit_dialog(client: Api, comparison: Comparison) -> None:
    """Edit name, tags and notes."""
    if edit_form(client, st.session_state.setdefault(FIRST_SHOWN_KEY, comparison)):
        close_dialog()
        st.rerun()


def action_label(action: str, comparison: Comparison) -> str:
    """Return what an action is called on this comparison."""
    noun = comparison["replicate_noun"]
    return f"More {noun}s" if action == MORE_SEEDS and noun != SEED else action


def more_seeds_dialog(client: Api, comparison: Comparison) -> None:
    """Add runs of every arm for new seeds to the comparison."""
    title = action_label(MORE_SEEDS, comparison)
    st.dialog(title, on_dismiss=close_dialog)(_more_seeds)(client, comparison)


def _more_seeds(client: Api, comparison: Comparison) -> None:
    own = comparison["id"]
    text = st.text_input(
        "Seeds to add",
        suggested_seeds(comparison["seeds"]),
        placeholder="3-7 or 3, 4, 5",
        key=f"seeds_text_{own}",
    )
    try:
        seeds = parse_seeds(text)
    except SeedsError as error:
        st.error(str(error))
        seeds = []
    st.caption(added_runs_text(comparison, seeds))
    st.caption(
        f"{_NARROWER[comparison['replicate_noun']]} The new runs are added to the end of the queue."
    )
    pressed = st.button(
        "Queue them",
        type="primary",
        icon=":material/play_arrow:",
        disabled=not seeds,
        key=f"seeds_add_{own}",
    )
    if pressed:
        _apply(lambda: client.add_seeds(own, seeds))


@st.dialog(DELETE, on_dismiss=close_dialog)
def delete_dialog(client: Api, comparison: Comparison) -> None:
    """Show what a deletion frees, and delete."""
    own = comparison["id"]
    st.markdown(
        f"**{escape_markdown(comparison['name'])}** will be permanently deleted with all its runs."
    )
    try:
        st.html(freed_html(client.size(own)))
    except ApiError as error:
        st.caption(f"The freed space cannot be determined now: {error.message}")
    if comparison["state"] in OPEN_STATES:
        st.caption(":material/warning: It has not finished: its running runs will be stopped.")
    with st.container(horizontal=True, gap="small"):
        if st.button("Delete permanently", type="primary", icon=ICONS[DELETE], key=f"delete_{own}"):
            board = dialog_comparison(BOARD)
            _apply(lambda: client.delete(own), to_board=not board)
        if not comparison["archived"] and st.button(
            "Archive it instead", icon=ICONS[ARCHIVE], key=f"delete_archive_{own}"
        ):
            _apply(lambda: client.patch(own, archived=True))


@st.dialog(ALERTS, width="medium", on_dismiss=close_dialog)
def alerts_dialog(client: Api, comparison: Comparison) -> None:
    """Show where alerts of the comparison are sent, and what became of them."""
    try:
        show_alerts(client, comparison["id"])
    except ApiError as error:
        st.write(f"The alerts cannot be read now: {escape_markdown(error.message)}")


@st.dialog(SAVE_TEMPLATE, on_dismiss=close_dialog)
def template_dialog(client: Api, comparison: Comparison) -> None:
    """Save the comparison's settings as a template."""
    if template_form(client, comparison):
        close_dialog()
        st.rerun()


DIALOGS: Final[dict[str, Callable[[Api, Comparison], None]]] = {
    "Edit": edit_dialog,
    MORE_SEEDS: more_seeds_dialog,
    SAVE_TEMPLATE: template_dialog,
    ALERTS: alerts_dialog,
    DELETE: delete_dialog,
}


def _open_dialog(place: str, which: str, comparison: str) -> None:
    """Open a dialog and rerun the whole page, as a rerun of a fragment would remove the dialog."""
    close_dialog()
    st.session_state[DIALOG_KEY] = (place, which, comparison)
    st.rerun()


def _apply(change: Callable[[], object], *, to_board: bool = False) -> None:
    """Make a change and close the dialog, or show in it what is wrong."""
    try:
        change()
    except ApiError as error:
        show_problems(error)
        return
    close_dialog()
    if to_board:
        st.switch_page("app_pages/comparisons.py")
    st.rerun()


def row_actions(client: Api, chosen: Comparison | None) -> None:
    """Draw the actions on the board's selected row; without one say how to select it."""
    if chosen is None:
        st.caption(
            "Click a name to open it; select a row to change, cancel or delete it, or several to "
            "compare, archive, tag or delete them."
        )
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(f"**{escape_markdown(chosen['name'])}**", width="content")
        action_buttons(client, chosen, place=BOARD)


def board_dialog(client: Api) -> None:
    """Draw the dialog that was opened from a row of the board.

    Call this outside the fragment that reruns by itself: its rerun would remove the dialog.
    """
    if own := dialog_comparison(BOARD):
        try:
            draw_dialog(client, client.comparison(own), place=BOARD)
        except MissingError:  # the comparison was deleted a moment ago
            close_dialog()
