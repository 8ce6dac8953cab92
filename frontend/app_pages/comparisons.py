"""The board: every comparison, newest first; what runs, what waits, what came out."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Final, Literal

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Comparison, ComparisonPage
from frontend.comparison.actions import open_dialog, row_actions
from frontend.errors import ApiError, MissingError
from frontend.ui.session import api
from frontend.ui.text import STATES, any_open, pages, preparation, rows, workers_line
from frontend.ui.widgets import page_number, reading

PAGE_SIZE: Final = 25
EVERY_S: Final = 2.0
FILTERS: Final = ("q", "tag", "created_by", "state", "sort", "archived")
SORTS: Final = {"name": "name", "state": "what runs first"}
SHOWN: Final = {"yes": "the archive"}
CHOICES: Final[Mapping[str, Mapping[str, str]]] = {
    "state": STATES,
    "sort": SORTS,
    "archived": SHOWN,
}
WATCHING: Final = "comparisons_watching"  # whether the board looks again by itself


def remember() -> None:
    """Keep the filters in the address; a new filter starts at the first page."""
    for name in FILTERS:
        value = st.session_state.get(f"comparisons_{name}") or ""
        if value:
            st.query_params[name] = value
        else:
            st.query_params.pop(name, None)
    st.query_params.pop("page", None)


def asked_for() -> dict[str, str]:
    """The filters as the address has them.

    The address is what holds: the browser's way back changes it and not the inputs. They are set
    only where they differ, for setting one takes away what is half typed in it.
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
    """The filters as the address has them, shown for change."""
    chosen = asked_for()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text("q", "Search", "name, note or tag", width="stretch")
        text("tag", "Tag", "any")
        text("created_by", "By", "anybody")
        select("state", "State", STATES, "any")
        select("sort", "Sort by", SORTS, "newest")
        select("archived", "Show", SHOWN, "on the board")
    return chosen


def text(name: str, label: str, placeholder: str, *, width: int | Literal["stretch"] = 150) -> None:
    """A filter that is typed."""
    key = f"comparisons_{name}"
    st.text_input(label, placeholder=placeholder, key=key, on_change=remember, width=width)


def select(name: str, label: str, options: Mapping[str, str], placeholder: str) -> None:
    """A filter that is chosen."""
    st.selectbox(
        label,
        list(options),
        index=None,
        placeholder=placeholder,
        key=f"comparisons_{name}",
        format_func=options.__getitem__,
        on_change=remember,
        width=165,
    )


def empty(chosen: Mapping[str, str]) -> None:
    """Nothing to show, and the way on."""
    filtered = any(chosen[name] for name in FILTERS if name not in ("archived", "sort"))
    with st.container(border=True):
        if chosen["archived"] and not filtered:
            st.markdown("**The archive is empty**")
            st.caption(
                "What is archived leaves the board and keeps all it has: select a row there, then "
                "More, Archive."
            )
        elif filtered:
            st.markdown("**Nothing matches**")
            st.caption("No comparison has all that the filters ask for.")
            if st.button("Show all", icon=":material/filter_alt_off:", key="comparisons_all"):
                st.query_params.clear()
                st.rerun()
        else:
            st.markdown("**No comparison yet**")
            st.caption(
                "Pick a preset, press start, and watch how the losses learn: the first curves "
                "show after a second or two."
            )
            with st.container(horizontal=True):
                st.page_link("app_pages/new.py", label="Start the first one", icon=":material/add:")
                st.page_link(
                    "app_pages/method.py",
                    label="What is measured",
                    icon=":material/menu_book:",
                )


def prepared(client: Api, found: ComparisonPage) -> dict[str, str]:
    """How far those are that have begun and not come to their first step, by id; there are no more
    of them than workers."""
    ahead = {}
    for one in found["comparisons"]:
        if one["state"] == "running" and not one["progress"]:
            with suppress(MissingError):  # deleted just now
                ahead[one["id"]] = preparation(client.runs(one["id"]))
    return ahead


def table(found: ComparisonPage, preparing: Mapping[str, str]) -> Comparison | None:
    """The page's comparisons; the one that is selected."""
    comparisons = found["comparisons"]
    # A selection is a row's number. Another list is another table, or it would pass to whatever
    # comparison has come to stand in that row, and with it the button that deletes.
    listed = "_".join(one["id"] for one in comparisons)
    event = st.dataframe(
        rows(comparisons, preparing),
        hide_index=True,
        width="stretch",
        key=f"comparisons_table_{listed}",
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "Name": st.column_config.LinkColumn(display_text=r"#(.*)$", width=260),
            "State": st.column_config.TextColumn(width=125),
            "Progress": st.column_config.ProgressColumn(
                format="%.0f %%", min_value=0, max_value=100, width="small"
            ),
            "Left": st.column_config.TextColumn(width=60),
            "Arms": st.column_config.ListColumn(width=190),
            "Seeds": st.column_config.NumberColumn(width=60),
            "Tags": st.column_config.ListColumn(width="small"),
            "By": st.column_config.TextColumn(width=90),
            "Submitted": st.column_config.DatetimeColumn(format="distance", width=110),
        },
    )
    selected = event["selection"]["rows"]
    return comparisons[selected[0]] if selected else None


def turn_pages(total: int, page: int) -> None:
    """The way to older comparisons."""
    last = pages(total, PAGE_SIZE)
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
    """Worker line, table, and what can be done with its selected row."""
    page = page_number()
    try:
        with reading("board"):
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
            preparing = prepared(client, found)
            line = workers_line(client.workers(), client.ready())
    except ApiError as error:
        away(error)
        look_again(needed=True, watching=watching)
        return
    st.caption(line)
    last = pages(found["total"], PAGE_SIZE)
    if page > last:  # an old address, or the page's comparisons were deleted
        st.query_params["page"] = str(last)
        st.rerun()
    if found["comparisons"]:
        selected = table(found, preparing)
        try:
            row_actions(client, selected)
        except ApiError as error:  # it ended or went meanwhile, or the API did
            st.error(f"Not done: {error.message}")
    else:
        empty(chosen)
    turn_pages(found["total"], page)
    look_again(needed=any_open(found["comparisons"]), watching=watching)


def look_again(*, needed: bool, watching: bool) -> None:
    """Let the board look again by itself, or rest."""
    if needed != watching:
        st.session_state[WATCHING] = needed
        st.rerun()  # as a whole: how often the board looks again is set outside it


def away(error: ApiError) -> None:
    """Say why there is nothing to see; nothing is lost."""
    with st.container(border=True):
        st.markdown("**The board cannot be read now**")
        st.write(error.message)
        st.caption("Runs go on without this page. It looks again by itself.")


left, right = st.columns([4, 1], vertical_alignment="bottom")
left.title("Comparisons", anchor=False)
with right.container(horizontal=True, horizontal_alignment="right"):
    st.page_link("app_pages/new.py", label="New comparison", icon=":material/add:")
watching = st.session_state.setdefault(WATCHING, True)
st.fragment(board, run_every=EVERY_S if watching else None)(api(), filters(), watching=watching)
try:
    open_dialog(api())
except ApiError as error:
    away(error)
