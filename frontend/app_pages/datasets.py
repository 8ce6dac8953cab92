"""Data: what a team has uploaded, a way to upload more, and what needs no upload."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Final
from urllib.parse import urlsplit

import streamlit as st

from frontend.api.client import Api
from frontend.api.transport import PREFIX
from frontend.api.types import Catalogue, Dataset
from frontend.comparison.html import moment
from frontend.errors import ApiError, FieldProblem, MissingError
from frontend.ui import dataset_text as dataset_facts
from frontend.ui.current_user import barred, person
from frontend.ui.session import api
from frontend.ui.text import verbatim
from frontend.ui.widgets import try_again

REFUSED: Final = "datasets_refused"  # file and error of an upload that was not taken
TAKEN: Final = "datasets_taken"  # uploads that were taken; the next one finds an empty field
MAX_MB: Final = int(st.get_option("server.maxUploadSize"))
ENDINGS: Final = [ending.removeprefix(".") for ending in dataset_facts.FORMATS]


def upload(client: Api) -> None:
    """Choose a file, say what it is, send it."""
    with st.container(border=True):
        heading, help_place = st.columns([3, 1], vertical_alignment="center")
        heading.subheader("Upload", anchor=False)
        with help_place.container(horizontal=True, horizontal_alignment="right"):
            explain()
        if why := barred("editor"):
            st.caption(why)
            return
        taken = st.session_state.setdefault(TAKEN, 0)
        file = st.file_uploader(
            "A zip of class folders, or a table of features",
            type=ENDINGS,
            key=f"datasets_file_{taken}",
        )
        if file is None:
            st.caption(
                "Every image and every row is checked before anything is kept. For labels within "
                "the classes, which show how much detail a loss keeps, add `fine_labels` to a "
                "table."
            )
            refused()
            return
        kinds = dataset_facts.kinds_of(file.name)
        left, right = st.columns(2)
        name = left.text_input(
            "Name", PurePath(file.name).stem, max_chars=200, key=f"datasets_name_{file.file_id}"
        )
        kind = right.segmented_control(
            "It holds",
            kinds,
            default=kinds[0],
            required=True,
            format_func=dataset_facts.KINDS.__getitem__,
            key=f"datasets_kind_{file.file_id}",
        )
        if st.button(
            f"Upload {dataset_facts.size(file.size)}",
            type="primary",
            icon=":material/upload:",
            key="datasets_upload",
            disabled=not name.strip(),
        ):
            st.session_state.pop(REFUSED, None)
            try:
                with st.spinner("Sending it and checking every row …", show_time=True):
                    made = client.upload(name.strip(), kind, file, file.name)
            except ApiError as error:
                st.session_state[REFUSED] = (file.name, error)
            else:
                st.session_state[TAKEN] = taken + 1
                st.toast(f"“{made['name']}” is there: {dataset_facts.counts(made)}.")
                st.rerun()
        refused()


def explain() -> None:
    """What files must look like, and what to do with larger ones."""
    with st.popover("File formats", icon=":material/help:", type="tertiary", width="content"):
        st.html(dataset_facts.layouts_table())
        st.caption(
            f"Up to {MAX_MB:,} MB here: this page's server holds a file in its memory until it is "
            "sent. Larger ones go to the API as they are:"
        )
        origin = urlsplit(st.context.url or "")
        address = f"{origin.scheme}://{origin.netloc}{PREFIX}/datasets"
        shown = '-H "Authorization: Bearer $LOSSBOARD_TOKEN" ' if person() else ""
        st.code(
            f"curl {address} {shown}-F kind=image_folder -F name=shoes -F file=@shoes.zip",
            language="sh",
            wrap_lines=True,
        )


def refused() -> None:
    """Why the last upload was not taken, row by row."""
    filename, error = st.session_state.get(REFUSED, ("", None))
    if error is not None:
        st.error(
            f"**{verbatim(filename)}** was not taken: {verbatim(error.message)}",
            icon=":material/block:",
        )
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
    kind = dataset_facts.KINDS[dataset["kind"]]
    st.markdown(f"**{verbatim(dataset['name'])}** :gray-badge[{kind}]")
    st.caption(
        f"{dataset_facts.counts(dataset)}  \nUploaded {moment(dataset['created_at'])} · "
        f"`{dataset['id']}`"
    )
    if dataset["thumbnails"]:
        with suppress(MissingError):  # somebody has deleted it just now
            st.html(dataset_facts.thumbnails(client.dataset(dataset["id"]), PREFIX))
    if dataset["warnings"]:
        count = len(dataset["warnings"])
        with st.expander("1 remark" if count == 1 else f"{count} remarks"):
            remarks = [FieldProblem(one["where"], one["message"]) for one in dataset["warnings"]]
            st.html(dataset_facts.problems_table(remarks))
    with st.container(horizontal=True, gap="small"):
        if st.button(
            "Compare losses on it", icon=":material/add:", key=f"datasets_compare_{dataset['id']}"
        ):
            st.switch_page("app_pages/new.py", query_params={"dataset": dataset["id"]})
        why = barred("admin")
        with st.popover(
            "Delete",
            icon=":material/delete:",
            disabled=why is not None,
            help=why,
            key=f"datasets_ask_{dataset['id']}",
        ):
            st.write(f"**{verbatim(dataset['name'])}** does not come back once it is deleted.")
            if st.button("Delete it", type="primary", key=f"datasets_delete_{dataset['id']}"):
                delete(client, dataset)


def delete(client: Api, dataset: Dataset) -> None:
    """Delete an upload, or say which comparison needs it."""
    try:
        client.delete_dataset(dataset["id"])
    except ApiError as error:
        st.error(f"Not deleted: {verbatim(error.message)}")
    else:
        st.rerun()


def uploaded(client: Api) -> None:
    """What was uploaded until now."""
    st.subheader("Uploaded", anchor=False)
    with st.spinner("Reading what is there …"):
        datasets = client.datasets()
    if datasets:
        cards(client, datasets)
        return
    with st.container(border=True):
        st.markdown("**Nothing uploaded yet**")
        st.caption(
            "An upload stands here for everybody who uses this board, and a new comparison can "
            "take it as its data."
        )


def ready_to_use(catalogue: Catalogue) -> None:
    """What needs no upload."""
    st.subheader("Ready to use", anchor=False)
    st.caption("The first run on a data set that is not bundled downloads it for all later ones.")
    st.html(dataset_facts.catalogue_table(catalogue["data"]))


def away(error: ApiError) -> None:
    """Say why there is nothing to see; nothing is lost."""
    with st.container(border=True):
        st.markdown("**The data sets cannot be shown now**")
        st.write(error.message)
        st.caption("What was uploaded is kept.")
        try_again(api(), error, key="datasets_again")


st.title("Data", anchor=False)
st.caption("Your own data are checked once, here; then every comparison can be made on them.")
try:
    upload(api())
    uploaded(api())
    ready_to_use(api().catalogue())
except ApiError as failure:
    away(failure)
