"""The queue: which worker runs what, what waits in which order, and what goes first."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Queue, QueueSlot, Waiting
from frontend.board import queue_html
from frontend.comparison.actions import cancel
from frontend.errors import ApiError
from frontend.ui.current_user import needs
from frontend.ui.session import api
from frontend.ui.text import pages, verbatim
from frontend.ui.widgets import page_number, reading, turn_pages

PAGE_SIZE: Final = 25
EVERY_S: Final = 2.0
REST_S: Final = 10.0
WATCHING: Final = "queue_watching"  # whether something changes by itself
REFUSED: Final = "queue_refused"  # why what was pressed last was not done


def act(change: Callable[[str], object], of: str) -> None:
    """Do what a button says, before the page is drawn again."""
    try:
        change(of)
    except ApiError as error:  # it began or ended meanwhile, or the API is away
        st.session_state[REFUSED] = error.message


def workers(client: Api, slots: Sequence[QueueSlot]) -> None:
    """A card for each slot."""
    st.subheader("Workers", anchor=False)
    with st.container(key="queue-workers", horizontal=True, gap="small"):
        if not slots:
            with st.container(border=True):
                st.markdown("**No worker**")
                st.caption("What is submitted waits. Start one with `python -m launcher up`.")
        for slot in slots:
            with st.container(border=True, width=330, gap="xsmall"):
                worker(client, slot)


def worker(client: Api, slot: QueueSlot) -> None:
    """One slot, and the way to what it runs."""
    st.html(queue_html.slot(slot))
    run, comparison = slot["run"], slot["comparison"]
    if run is None or comparison is None:
        if slot["state"] == "idle":
            st.caption("Takes the next run that waits.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        link(comparison, slot["comparison_name"] or comparison)
        needs(
            "editor",
            "Cancel",
            icon=":material/stop_circle:",
            type="tertiary",
            key=f"queue_stop_{run}",
            help="End this run; what it measured stays",
            on_click=act,
            args=(client.cancel_run, run),
        )


def link(comparison: str, name: str) -> None:
    """The way to a comparison."""
    st.page_link(
        "app_pages/comparison.py",
        label=f"**{verbatim(name)}**",
        icon=":material/stacked_line_chart:",
        query_params={"id": comparison},
        width="stretch",
    )


def waiting(client: Api, queue: Queue) -> None:
    """What waits, the next one first, with what can be done about it."""
    st.subheader("Waiting", anchor=False)
    with st.container(key="queue-waiting", gap="small"):
        if not queue["waiting"]:
            heading, sentence = queue_html.nothing(queue)
            with st.container(border=True):
                st.markdown(f"**{heading}**")
                st.caption(sentence)
                st.page_link("app_pages/new.py", label="New comparison", icon=":material/add:")
            return
        for rows in queue_html.groups(queue["waiting"]):
            with st.container(border=True, gap="xsmall"):
                group(client, rows, queue["devices"])
        page, last = queue["page"], pages(queue["waiting_total"], PAGE_SIZE)
        if last > 1:
            said = f"page {page} of {last}"
            turn_pages(page, last, said, back="Sooner", on="Later", key="queue")


def group(client: Api, rows: Sequence[Waiting], alive: Mapping[str, int]) -> None:
    """Runs of one comparison that wait behind one another."""
    first = rows[0]
    comparison, place = first["comparison"], first["run"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap=None):
            link(comparison, first["comparison_name"])
            st.caption(verbatim(queue_html.heading(rows, queue_html.utc_now())))
        needs(
            "editor",
            "Move all to front",
            icon=":material/vertical_align_top:",
            key=f"queue_front_{place}",
            on_click=act,
            args=(client.move_to_front, comparison),
        )
        cancel(client, comparison, key=f"queue_cancel_{place}")
    for row in rows:
        waiting_run(client, row, alive)


def waiting_run(client: Api, row: Waiting, alive: Mapping[str, int]) -> None:
    """One run that waits."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(queue_html.row(row, alive))
        needs(
            "editor",
            "Move to front",
            icon=":material/vertical_align_top:",
            type="tertiary",
            key=f"queue_first_{row['run']}",
            disabled=row["position"] == 1,
            on_click=act,
            args=(client.move_run_to_front, row["run"]),
        )
        needs(
            "editor",
            "Cancel",
            icon=":material/close:",
            type="tertiary",
            key=f"queue_drop_{row['run']}",
            on_click=act,
            args=(client.cancel_run, row["run"]),
        )


def board(client: Api, *, watching: bool) -> None:
    """The whole queue as it is now."""
    page = page_number()
    if refused := st.session_state.pop(REFUSED, ""):
        st.toast(f"Not done: {verbatim(refused)}", icon=":material/block:")
    try:
        with reading("queue"):
            queue = client.queue(page=page, page_size=PAGE_SIZE)
    except ApiError as error:
        away(error)
        return
    last = pages(queue["waiting_total"], PAGE_SIZE)
    if page > last:  # an old address, or what stood there has begun
        st.query_params["page"] = str(last)
        st.rerun()
    st.caption(queue_html.headline(queue))
    workers(client, queue["workers"])
    waiting(client, queue)
    moving = bool(queue["running_total"] or queue["waiting_total"])
    if moving != watching:
        st.session_state[WATCHING] = moving
        st.rerun()  # as a whole: how often the page looks again is set outside it


def away(error: ApiError) -> None:
    """Say why there is nothing to see; nothing is lost."""
    with st.container(border=True):
        st.markdown("**The queue cannot be read now**")
        st.write(error.message)
        st.caption("Runs go on without this page. It looks again by itself.")


st.title("Queue", anchor=False)
watching = st.session_state.setdefault(WATCHING, True)
st.fragment(board, run_every=EVERY_S if watching else REST_S)(api(), watching=watching)
