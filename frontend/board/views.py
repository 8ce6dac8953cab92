"""Saved views of the board: choose one, save, change and delete them.

A view is filters, columns and an order under a name. Its link, `?view=<id>`, opens it. From then on
the address has the view's own values too, so that they can be changed without changing the view.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import View
from frontend.board import address
from frontend.board.table import COLUMN_TITLES
from frontend.comparison.edit import show_problems
from frontend.errors import ApiError
from frontend.ui.session import keep_cookie, kept_cookie, role_button, role_refusal, viewer_name
from frontend.ui.text import escape_markdown
from frontend.ui.widgets import copy_text_button

ALL: Final = "all"
"""In the address: no view, also where this browser opens one by default."""
OPENED_KEY: Final = "comparisons_view_opened"  # the view whose values were put into the address
DEFAULT_COOKIE: Final = "lossboard_view"


def open_view(views: Sequence[View] | None) -> View | None:
    """Return the view in the address; put its values there when it is opened.

    Without any parameter in the address it is the view that this browser opens by default. While
    the views are not known, None, it is opened later.
    """
    if views is None:
        return None
    asked = st.query_params.get(address.VIEW, "")
    if not st.query_params.to_dict():
        asked = kept_cookie(DEFAULT_COOKIE)
        if any(view["id"] == asked for view in views):
            st.query_params[address.VIEW] = asked
        else:
            asked = ""
    found = next((view for view in views if view["id"] == asked), None)
    if found is None and asked not in ("", ALL):
        st.warning(
            "This link names a saved view that does not exist; it may have been deleted. All "
            "comparisons are shown.",
            icon=":material/link_off:",
        )
    own = {address.VIEW: asked}
    opened = st.session_state.get(OPENED_KEY)
    if found is not None and opened != asked and st.query_params.to_dict() == own:
        address.show_only(own | values_of(found))
    st.session_state[OPENED_KEY] = asked
    return found


def values_of(view: View) -> dict[str, str]:
    """Return a view's filters, order and columns as the address has them."""
    filters = view["filters"]
    return {
        "q": filters.get("q", ""),
        "tag": filters.get("tag", ""),
        "created_by": filters.get("created_by", ""),
        "state": filters.get("state") or "",
        "archived": "yes" if filters.get("archived") else "",
        "sort": "" if view["sort"] == "created_at" else view["sort"],
        address.COLUMNS: ",".join(view["columns"]),
    }


def shown_now(chosen: Mapping[str, str]) -> dict[str, Any]:
    """Return what the board shows, as the API takes it for a view."""
    return {
        "filters": {
            "q": chosen["q"],
            "tag": chosen["tag"],
            "created_by": chosen["created_by"],
            "state": chosen["state"] or None,
            "archived": bool(chosen["archived"]),
        },
        "columns": address.columns_in_address(list(COLUMN_TITLES)),
        "sort": chosen["sort"] or "created_at",
    }


def choose_view(views: Sequence[View], current: View | None) -> None:
    """Draw the choice of a view."""
    names = {ALL: "All comparisons"} | {view["id"]: view["name"] for view in views}
    address.set_input(address.VIEW, current["id"] if current else ALL)
    st.selectbox(
        "View",
        list(names),
        format_func=lambda view: names.get(view, view),
        key=address.widget_key(address.VIEW),
        on_change=_view_chosen,
        label_visibility="collapsed",
        width=210,
    )


def view_menu(client: Api, current: View | None, chosen: Mapping[str, str]) -> None:
    """Draw the menu that saves what is shown as a view, or changes the current view."""
    with st.popover("Save view", icon=":material/bookmark:", width="content"):
        now = shown_now(chosen)
        own = current["id"] if current else ""
        name = st.text_input(
            "Name of the view",
            current["name"] if current else "",
            max_chars=200,
            key=f"view_name_{own}",
            width=320,
        ).strip()
        st.caption(
            "Keeps the filters, the columns and the order, for everyone on this board.", width=320
        )
        taken = bool(current) and name == (current and current["name"])
        if role_button(
            "editor",
            "Save as a new view",
            icon=":material/bookmark_add:",
            key="view_save",
            disabled=not name or taken,
        ):
            _save(client, name, now)
        if current:
            _change(client, current, name, now)


def _change(client: Api, current: View, name: str, now: Mapping[str, Any]) -> None:
    own, refusal = current["id"], _refusal(current)
    kept = {"filters": current["filters"], "columns": current["columns"], "sort": current["sort"]}
    same = kept == now
    with st.container(horizontal=True, gap="small", width=320):
        if st.button(
            "Update it", key="view_update", disabled=same or bool(refusal), help=refusal
        ) and _done(client, own, **now):
            st.rerun()
        renamed = bool(name) and name != current["name"]
        if st.button(
            "Rename it", key="view_rename", disabled=not renamed or bool(refusal), help=refusal
        ) and _done(client, own, name=name):
            st.rerun()
        if st.button("Delete it", key="view_delete", disabled=bool(refusal), help=refusal):
            try:
                client.delete_view(own)
            except ApiError as error:
                show_problems(error)
            else:
                address.show_only({address.VIEW: ALL})
                st.rerun()
    st.checkbox(
        "Open it by default in this browser",
        kept_cookie(DEFAULT_COOKIE) == own,
        key=f"view_default_{own}",
    )
    chosen = bool(st.session_state[f"view_default_{own}"])
    if chosen != (kept_cookie(DEFAULT_COOKIE) == own):
        keep_cookie(DEFAULT_COOKIE, own if chosen else "")
    link = f"{(st.context.url or '').partition('?')[0]}?{address.VIEW}={own}"
    copy_text_button(link, "Copy link of the view", key="view_link")
    st.caption(f"Saved by {escape_markdown(current['created_by'])}.")


def _save(client: Api, name: str, now: Mapping[str, Any]) -> None:
    try:
        made = client.create_view(name=name, **now)
    except ApiError as error:
        show_problems(error)
        return
    st.query_params[address.VIEW] = made["id"]
    st.session_state[OPENED_KEY] = made["id"]
    st.rerun()


def _done(client: Api, view: str, **changes: Any) -> bool:
    """Change a view; return whether it went well, and else say why not."""
    try:
        client.patch_view(view, **changes)
    except ApiError as error:
        show_problems(error)
        return False
    return True


def _refusal(view: View) -> str | None:
    """Return why the viewer may not change a view; None if they may."""
    if role_refusal("admin") is None or view["created_by"] == viewer_name():
        return role_refusal("editor")
    return f"Only {escape_markdown(view['created_by'])}, who saved it, and admins change it."


def _view_chosen() -> None:
    chosen = st.session_state.get(address.widget_key(address.VIEW)) or ALL
    st.session_state.pop(OPENED_KEY, None)
    address.show_only({address.VIEW: chosen})
