"""The queue: what each worker runs, what waits in which order, and buttons that change it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import Queue, QueueSlot, Waiting
from frontend.board import queue_html
from frontend.comparison.actions import cancel_button
from frontend.errors import ApiError
from frontend.ui.session import api, role_button
from frontend.ui.text import escape_markdown, page_count
from frontend.ui.widgets import current_page, first_read_spinner, paging_buttons

PAGE_SIZE: Final = 25
BUSY_READ_S: Final = 2.0
IDLE_READ_S: Final = 10.0
WATCHING_KEY: Final = "queue_watching"  # whether anything runs or waits
REFUSED_KEY: Final = "queue_refused"  # why the last button was refused


def act(change: Callable[[str], object], target: str) -> None:
    """Make a button's change to a run or comparison, before the page is drawn again."""
    try:
        change(target)
    except ApiError as error:  # the run began or ended meanwhile, or the API is away
        st.session_state[REFUSED_KEY] = error.message


def workers(client: Api, slots: Sequence[QueueSlot]) -> None:
    """Draw a card for each worker slot."""
    st.header("Workers", anchor=False)
    with st.container(key="queue-workers", horizontal=True, gap="small"):
        if not slots:
            with st.container(border=True):
                st.markdown("**No worker**")
                st.caption(
                    "Submitted runs wait in the queue. Start a worker with `python -m launcher up`."
                )
        for slot in slots:
            with st.container(border=True, width=330, gap="xsmall"):
                worker(client, slot)


def worker(client: Api, slot: QueueSlot) -> None:
    """Draw one slot, with a link to the comparison that it runs."""
    st.html(queue_html.slot_html(slot))
    run, comparison = slot["run"], slot["comparison"]
    if run is None or comparison is None:
        if slot["state"] == "idle":
            st.caption("Takes the next waiting run.")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        comparison_link(comparison, slot["comparison_name"] or comparison)
        role_button(
            "editor",
            "Cancel",
            icon=":material/stop_circle:",
            type="tertiary",
            key=f"queue_stop_{run}",
            help="Stop its training; results so far are kept",
            on_click=cancel_runs,
            args=(client, slot["runs"]),
        )


def cancel_runs(client: Api, runs: Sequence[str]) -> None:
    """Cancel the runs of a slot."""
    for run in runs:
        act(client.cancel_run, run)


def comparison_link(comparison: str, name: str) -> None:
    """Draw a link to a comparison."""
    st.page_link(
        "app_pages/comparison.py",
        label=f"**{escape_markdown(name)}**",
        icon=":material/stacked_line_chart:",
        query_params={"id": comparison},
        width="stretch",
    )


def waiting(client: Api, queue: Queue) -> None:
    """Draw the waiting runs, the next one first, with their actions."""
    st.header("Waiting", anchor=False)
    with st.container(key="queue-waiting", gap="small"):
        if not queue["waiting"]:
            heading, sentence = queue_html.empty_text(queue)
            with st.container(border=True):
                st.markdown(f"**{heading}**")
                st.caption(sentence)
                st.page_link(
                    "app_pages/new_comparison.py", label="New comparison", icon=":material/add:"
                )
            return
        page, last = queue["page"], page_count(queue["waiting_total"], PAGE_SIZE)
        for rows in queue_html.comparison_groups(queue["waiting"]):
            with st.container(border=True, gap="xsmall"):
                group(client, rows, queue["devices"], one_page=last == 1)
        if last > 1:
            text = f"page {page} of {last}"
            paging_buttons(page, last, text, back="Previous", on="Next", key="queue")


def group(
    client: Api, rows: Sequence[Waiting], alive: Mapping[str, int], *, one_page: bool
) -> None:
    """Draw runs of one comparison that follow one another in the queue."""
    first = rows[0]
    comparison, key = first["comparison"], first["run"]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(gap=None):
            comparison_link(comparison, first["comparison_name"])
            heading = queue_html.group_heading(rows, queue_html.utc_now(), one_page=one_page)
            st.caption(escape_markdown(heading))
        role_button(
            "editor",
            "Move all to front",
            icon=":material/vertical_align_top:",
            key=f"queue_front_{key}",
            on_click=act,
            args=(client.move_to_front, comparison),
        )
        cancel_button(client, comparison, key=f"queue_cancel_{key}")
    for row in rows:
        waiting_run(client, row, alive)


def waiting_run(client: Api, row: Waiting, alive: Mapping[str, int]) -> None:
    """Draw one run that waits."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(queue_html.waiting_html(row, alive))
        role_button(
            "editor",
            "Move to front",
            icon=":material/vertical_align_top:",
            type="tertiary",
            key=f"queue_first_{row['run']}",
            disabled=row["position"] == 1,
            on_click=act,
            args=(client.move_run_to_front, row["run"]),
        )
        role_button(
            "editor",
            "Cancel",
            icon=":material/close:",
            type="tertiary",
            key=f"queue_drop_{row['run']}",
            on_click=act,
            args=(client.cancel_run, row["run"]),
        )


def board(client: Api, *, watching: bool) -> None:
    """Draw the whole queue as it is now."""
    page = current_page()
    if refused := st.session_state.pop(REFUSED_KEY, ""):
        st.toast(f"Not done: {escape_markdown(refused)}", icon=":material/block:")
    try:
        with first_read_spinner("queue"):
            queue = client.queue(page=page, page_size=PAGE_SIZE)
    except ApiError as error:
        show_error(error)
        return
    last = page_count(queue["waiting_total"], PAGE_SIZE)
    if page > last:  # from an old address, or the runs of this page have begun
        st.query_params["page"] = str(last)
        st.rerun()
    st.caption(queue_html.headline(queue))
    workers(client, queue["workers"])
    waiting(client, queue)
    busy = bool(queue["running_total"] or queue["waiting_total"])
    if busy != watching:
        st.session_state[WATCHING_KEY] = busy
        st.rerun()  # the whole page: how often the queue is read is set outside the fragment


def show_error(error: ApiError) -> None:
    """Say why the page shows nothing, and that nothing is lost."""
    with st.container(border=True):
        st.markdown("**The queue cannot be read now**")
        st.write(error.message)
        st.caption("Runs continue. This page retries automatically.")


st.title("Queue", anchor=False)
watching = st.session_state.setdefault(WATCHING_KEY, True)
st.fragment(board, run_every=BUSY_READ_S if watching else IDLE_READ_S)(api(), watching=watching)
