"""Data: the team's uploads, a form to upload more, and the data sets of the catalogue."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Final
from urllib.parse import urlsplit

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from frontend.api.client import Api
from frontend.api.transport import PREFIX
from frontend.api.types import Catalogue, Dataset
from frontend.comparison.tables_html import format_time
from frontend.errors import ApiError, FieldProblem, MissingError
from frontend.ui import dataset_text, upload_questions
from frontend.ui.address import own_address
from frontend.ui.session import api, role_refusal, signed_in_person
from frontend.ui.text import count_text, escape_markdown, page_count
from frontend.ui.widgets import current_page, paging_buttons, retry_button

REFUSED_KEY: Final = "datasets_refused"  # file name and error of the upload that was refused
ACCEPTED_KEY: Final = "datasets_taken"  # number of accepted uploads; each gives a new, empty input
SEARCH_KEY: Final = "datasets_q"
PAGE_SIZE: Final = 20
"""Uploads of a page; with more, the page has a search."""
MAX_MB: Final = int(st.get_option("server.maxUploadSize"))


def upload_form(client: Api) -> None:
    """Draw the form that chooses a file, names it, and sends it."""
    with st.container(border=True):
        heading, help_place = st.columns([3, 1], vertical_alignment="center")
        heading.header("Upload", anchor=False)
        with help_place.container(horizontal=True, horizontal_alignment="right"):
            file_formats()
        if refusal := role_refusal("editor"):
            st.caption(refusal)
            return
        accepted = st.session_state.setdefault(ACCEPTED_KEY, 0)
        file = st.file_uploader(
            "A zip of class folders of images, a table of features (npz, Parquet, CSV, HDF5 or "
            "MATLAB), or of texts, pairs or triplets (CSV, Parquet or JSON lines)",
            key=f"datasets_file_{accepted}",
        )
        if file is None:
            st.caption(
                "Every image and every row is checked before anything is kept. For labels within "
                "the classes, which show how much detail a loss keeps, add `fine_labels` to a "
                "table."
            )
            show_refused()
            return
        kinds = dataset_text.kinds_of(file.name)
        left, right = st.columns(2)
        name = left.text_input(
            "Name", PurePath(file.name).stem, max_chars=200, key=f"datasets_name_{file.file_id}"
        )
        kind = right.segmented_control(
            "It holds",
            kinds,
            default=kinds[0],
            required=True,
            format_func=dataset_text.KIND_TITLES.__getitem__,
            key=f"datasets_kind_{file.file_id}",
        )
        if st.button(
            f"Upload {dataset_text.file_size(file.size)}",
            type="primary",
            icon=":material/upload:",
            key="datasets_upload",
            disabled=not name.strip(),
        ):
            send(client, file, name.strip(), kind)
        show_refused()
        for other in kinds_that_fit(file.name):
            if st.button(
                f"Upload it as {dataset_text.KIND_TITLES[other].lower()}",
                icon=":material/swap_horiz:",
                key=f"datasets_upload_as_{other}",
                disabled=not name.strip(),
            ):
                send(client, file, name.strip(), other)
                st.rerun()


def send(client: Api, file: UploadedFile, name: str, kind: str) -> None:
    """Upload the file; draw the page anew if it was kept, or remember why it was refused."""
    st.session_state.pop(REFUSED_KEY, None)
    file.seek(0)
    try:
        with st.spinner("Uploading and checking every row …", show_time=True):
            made = client.upload(name, kind, file, file.name)
    except ApiError as error:
        st.session_state[REFUSED_KEY] = (file.name, error)
    else:
        st.session_state[ACCEPTED_KEY] += 1
        st.toast(taken(made))
        st.rerun()


def kinds_that_fit(filename: str) -> list[str]:
    """Return the kinds as which the refused file can be uploaded, by what the refusal says."""
    refused, error = st.session_state.get(REFUSED_KEY, ("", None))
    said = (
        [one.message for one in error.fields if one.path == "kind"] if refused == filename else []
    )
    return [kind for kind in dataset_text.KIND_TITLES for text in said if f"'{kind}'" in text]


def taken(made: Dataset) -> str:
    """Return what to say of an upload that was kept."""
    name = escape_markdown(made["name"])
    if made["state"] == "unanswered":
        return f"“{name}” needs an answer before it can be used: see its card."
    return f"“{name}” uploaded: {dataset_text.summary(made)}."


def file_formats() -> None:
    """Draw the help on file formats, and on files that are too large for this page."""
    with st.popover("File formats", icon=":material/help:", type="tertiary", width="content"):
        st.html(dataset_text.layouts_table())
        st.caption(
            f"Up to {MAX_MB:,} MB here, because this page holds the file in memory. Send larger "
            "files directly to the API:"
        )
        origin = urlsplit(st.context.url or "")
        address = f"{origin.scheme}://{origin.netloc}{own_address(PREFIX)}/datasets"
        shown = '-H "Authorization: Bearer $LOSSBOARD_TOKEN" ' if signed_in_person() else ""
        st.code(
            f"curl {address} {shown}-F kind=image_folder -F name=shoes -F file=@shoes.zip",
            language="sh",
            wrap_lines=True,
        )


def show_refused() -> None:
    """Say why the last upload was refused, row by row."""
    filename, error = st.session_state.get(REFUSED_KEY, ("", None))
    if error is not None:
        outcome = "rejected" if error.fields else "failed"
        st.error(
            f"**Upload {outcome}:** {escape_markdown(error.message)} ({escape_markdown(filename)})",
            icon=":material/block:",
        )
        if error.fields:
            st.html(dataset_text.problems_table(error.fields))


def cards(client: Api, datasets: Sequence[Dataset]) -> None:
    """Draw the uploads, two in a row."""
    for start in range(0, len(datasets), 2):
        for column, dataset in zip(st.columns(2), datasets[start : start + 2], strict=False):
            with column, st.container(border=True, height="stretch"):
                card(client, dataset)


def card(client: Api, dataset: Dataset) -> None:
    """Draw one upload with its description, images and actions."""
    kind = dataset_text.KIND_TITLES[dataset["kind"]]
    unanswered = dataset["state"] == "unanswered"
    waits = " :orange-badge[:material/help: waits for your answer]" if unanswered else ""
    st.markdown(f"**{escape_markdown(dataset['name'])}** :gray-badge[{kind}]{waits}")
    holds = dataset_text.file_size(dataset["size"]) if unanswered else dataset_text.summary(dataset)
    st.caption(f"{holds}  \nUploaded {format_time(dataset['created_at'])} · `{dataset['id']}`")
    if unanswered:
        questions(client, dataset)
    elif dataset["answers"]:
        st.caption(f"Read as: {escape_markdown(upload_questions.answers_text(dataset['answers']))}")
    if dataset["thumbnails"]:
        with suppress(MissingError):  # it was deleted a moment ago
            st.html(dataset_text.thumbnails(client.dataset(dataset["id"]), own_address(PREFIX)))
    if dataset["kind"] in ("text", *dataset_text.TUPLES) and not unanswered:
        with suppress(MissingError):
            st.html(dataset_text.texts_table(client.dataset(dataset["id"])))
    if dataset["warnings"]:
        with st.expander(count_text(len(dataset["warnings"]), "note")):
            notes = [FieldProblem(one["where"], one["message"]) for one in dataset["warnings"]]
            st.html(dataset_text.problems_table(notes))
    with st.container(horizontal=True, gap="small"):
        if not unanswered and st.button(
            "Compare losses on this data",
            icon=":material/add:",
            key=f"datasets_compare_{dataset['id']}",
        ):
            st.switch_page("app_pages/new_comparison.py", query_params={"dataset": dataset["id"]})
        refusal = role_refusal("admin")
        with st.popover(
            "Delete",
            icon=":material/delete:",
            disabled=refusal is not None,
            help=refusal,
            key=f"datasets_ask_{dataset['id']}",
        ):
            st.write(f"**{escape_markdown(dataset['name'])}** will be permanently deleted.")
            if st.button(
                "Delete permanently", type="primary", key=f"datasets_delete_{dataset['id']}"
            ):
                delete(client, dataset)


def questions(client: Api, dataset: Dataset) -> None:
    """Draw what has to be answered before an upload can be used."""
    if refusal := role_refusal("editor"):
        st.caption(refusal)
        return
    answers = upload_questions.ask(dataset)
    if (
        st.button(
            "Use these",
            type="primary",
            icon=":material/check:",
            key=f"datasets_answer_{dataset['id']}",
            disabled=answers is None,
            help=None if answers else "Choose the features or the text, and the labels, first.",
        )
        and answers
    ):
        try:
            with st.spinner("Checking every row …", show_time=True):
                made = client.answer_questions(dataset["id"], answers)
        except ApiError as error:
            st.error(f"Not accepted: {escape_markdown(error.message)}", icon=":material/block:")
            if error.fields:
                st.html(dataset_text.problems_table(error.fields))
        else:
            st.toast(taken(made))
            st.rerun()


def delete(client: Api, dataset: Dataset) -> None:
    """Delete an upload, or say which comparison still uses it."""
    try:
        client.delete_dataset(dataset["id"])
    except ApiError as error:
        st.error(f"Not deleted: {escape_markdown(error.message)}")
    else:
        st.rerun()


def search(words: str) -> None:
    """Draw the field that searches the uploads by name; the address keeps the words."""
    if SEARCH_KEY not in st.session_state:
        st.session_state[SEARCH_KEY] = words
    st.text_input(
        "Search",
        placeholder="words of the name, or the id",
        key=SEARCH_KEY,
        on_change=search_changed,
    )


def search_changed() -> None:
    """Write the words into the address, and go to the first page."""
    words = st.session_state[SEARCH_KEY].strip()
    st.query_params.from_dict({"q": words} if words else {})


def show_uploads(client: Api) -> None:
    """Draw all uploads."""
    st.header("Uploaded", anchor=False)
    words = st.query_params.get("q", "")
    with st.spinner("Reading the data sets …"):
        found = client.find_datasets(q=words, page=current_page(), page_size=PAGE_SIZE)
    last = page_count(found["total"], PAGE_SIZE)
    if words or last > 1:
        search(words)
    if found["datasets"]:
        for dataset in found["datasets"]:
            if dataset["state"] == "unanswered":
                with st.container(border=True):
                    card(client, dataset)
        cards(client, [one for one in found["datasets"] if one["state"] == "ready"])
        if last > 1:
            text = f"page {found['page']} of {last}, {found['total']:,} uploads"
            paging_buttons(found["page"], last, text, back="Newer", on="Older", key="datasets")
        return
    if found["total"]:
        st.caption("This page of the list is empty.")
        if st.button("First page", key="datasets_first"):
            del st.query_params["page"]
            st.rerun()
        return
    if words:
        st.caption("No upload matches these words.")
        return
    with st.container(border=True):
        st.markdown("**Nothing uploaded yet**")
        st.caption(
            "Uploads are visible to everyone on this board and can be used as the data of new "
            "comparisons."
        )


def show_catalogue(catalogue: Catalogue) -> None:
    """Draw the data sets that need no upload."""
    st.header("Ready to use", anchor=False)
    st.caption("A data set that is not bundled is downloaded once, by the first run that uses it.")
    st.html(dataset_text.catalogue_table(catalogue["data"]))


def show_error(error: ApiError) -> None:
    """Say why the page shows nothing, and that nothing is lost."""
    with st.container(border=True):
        st.markdown("**The data sets cannot be shown now**")
        st.write(error.message)
        st.caption("Uploads are not affected.")
        retry_button(api(), error, key="datasets_again")


st.title("Data", anchor=False)
st.caption("Upload your own data: it is checked once, and any comparison can then use it.")
try:
    upload_form(api())
    show_uploads(api())
    show_catalogue(api().catalogue())
except ApiError as failure:
    show_error(failure)
