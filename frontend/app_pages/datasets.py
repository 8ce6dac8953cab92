"""Data: what a team has uploaded, a way to upload more, and what needs no upload."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

import streamlit as st

from frontend import dataset_facts
from frontend.api import PREFIX, Api
from frontend.api_types import Dataset
from frontend.comparison_html import moment
from frontend.comparison_table import verbatim
from frontend.errors import ApiError, FieldProblem
from frontend.session import api

REFUSED: Final = "datasets_refused"
"""Where the session keeps why the last upload was not taken."""
ENDINGS: Final = [ending.removeprefix(".") for ending in dataset_facts.FORMATS]


def upload(client: Api) -> None:
    """Choose a file, say what it is, send it."""
    with st.container(border=True):
        st.subheader("Upload", anchor=False)
        st.caption(
            "A zip with one folder of images a class, or a table of features as npz or Parquet; of "
            "two modalities also h5 and mat. Every row is checked before anything is kept."
        )
        file = st.file_uploader("File", type=ENDINGS, key="datasets_file")
        if file is None:
            refused()
            return
        kinds = dataset_facts.kinds_of(file.name)
        left, right = st.columns(2)
        name = left.text_input(
            "Name", PurePath(file.name).stem, max_chars=200, key=f"datasets_name_{file.file_id}"
        )
        with right:
            kind = st.radio(
                "It holds",
                kinds,
                format_func=lambda one: dataset_facts.KINDS[one],
                horizontal=True,
                key=f"datasets_kind_{file.file_id}",
            )
        pressed = st.button(
            f"Upload {dataset_facts.size(file.size)}",
            type="primary",
            icon=":material/upload:",
            key="datasets_upload",
            disabled=not name.strip(),
        )
        if not pressed:
            refused()
            return
        st.session_state.pop(REFUSED, None)
        try:
            with st.spinner("Sending it and checking every row …", show_time=True):
                made = client.upload(name.strip(), kind, file, file.name)
        except ApiError as error:
            st.session_state[REFUSED] = (file.name, error)
        else:
            st.toast(f"“{made['name']}” is there: {dataset_facts.counts(made)}.")
        st.rerun()


def refused() -> None:
    """Why the last upload was not taken, row by row."""
    filename, error = st.session_state.get(REFUSED, ("", None))
    if error is None:
        return
    st.markdown(f"**{verbatim(filename)} was not taken:** {verbatim(error.message)}")
    if error.fields:
        st.html(dataset_facts.problems_table(error.fields))


def cards(client: Api, datasets: Sequence[Dataset]) -> None:
    """The uploads, two a row."""
    for start in range(0, len(datasets), 2):
        for column, dataset in zip(st.columns(2), datasets[start : start + 2], strict=False):
            with column, st.container(border=True, height="stretch"):
                card(client, dataset)


def card(client: Api, dataset: Dataset) -> None:
    """One upload: what it is, how it looks, what can be done with it."""
    st.markdown(f"**{verbatim(dataset['name'])}**")
    kind = dataset_facts.KINDS[dataset["kind"]]
    st.caption(f"{kind}: {dataset_facts.counts(dataset)}. Uploaded {moment(dataset['created_at'])}")
    if dataset["thumbnails"]:
        st.html(dataset_facts.thumbnails(dataset, PREFIX))
    if dataset["warnings"]:
        with st.expander(f"{len(dataset['warnings'])} things to know"):
            st.html(
                dataset_facts.problems_table(
                    [FieldProblem(one["where"], one["message"]) for one in dataset["warnings"]]
                )
            )
    with st.container(horizontal=True, gap="small"):
        if st.button(
            "Compare losses on it",
            icon=":material/add:",
            key=f"datasets_compare_{dataset['id']}",
        ):
            st.switch_page("app_pages/new.py", query_params={"dataset": dataset["id"]})
        with st.popover("Delete", icon=":material/delete:", key=f"datasets_ask_{dataset['id']}"):
            st.write("The uploaded file goes for good.")
            if st.button("Delete it", type="primary", key=f"datasets_delete_{dataset['id']}"):
                delete(client, dataset)


def delete(client: Api, dataset: Dataset) -> None:
    """Delete an upload, or say which comparison needs it."""
    try:
        client.delete_dataset(dataset["id"])
    except ApiError as error:
        st.error(error.message)
    else:
        st.rerun()


def show(client: Api) -> None:
    """The whole page."""
    upload(client)
    st.subheader("Uploaded", anchor=False)
    try:
        with st.spinner("Reading what is there …"):
            datasets, catalogue = client.datasets(), client.catalogue()
    except ApiError as error:
        with st.container(border=True):
            st.markdown("**The data sets cannot be shown now**")
            st.write(error.message)
            st.button("Try again", icon=":material/refresh:", key="datasets_again")
        return
    if datasets:
        cards(client, datasets)
    else:
        with st.container(border=True):
            st.markdown("**Nothing uploaded yet**")
            st.caption("What you upload stands here, and can be chosen in a new comparison.")
    st.subheader("Ready to use", anchor=False)
    st.html(dataset_facts.catalogue_table(catalogue["data"]))


st.title("Data", anchor=False)
show(api())
