"""A new comparison: a form from the catalogue, which the API checks and starts."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import streamlit as st

from frontend.api.client import Api
from frontend.errors import ApiError
from frontend.form import replicates, sections
from frontend.form.arm_cards import arm_cards
from frontend.form.copied import SETTINGS, copied_spec
from frontend.form.draft import Draft, current_draft, discard_draft
from frontend.form.own_templates import (
    SOURCE,
    fill_from_template,
    open_template,
    read_templates,
    save_as_template,
)
from frontend.form.practical import BoundsError
from frontend.form.schema_fields import BOUNDS, Problem, problems_from_api, read_form
from frontend.form.sections import spec_for_upload
from frontend.form.start import fill_from_preset, start_cards
from frontend.form.sweep.panel import open_sweeps
from frontend.form.to_spec import write_spec
from frontend.form.tuning.section import tuning
from frontend.form.tuples import fit_to_data
from frontend.ui.seeds import SeedsError
from frontend.ui.session import api, role_button, role_refusal
from frontend.ui.text import escape_markdown
from frontend.ui.widgets import retry_button

Json = Mapping[str, Any]

CATALOGUE_KEY: Final = "new_catalogue"  # where the session keeps the last catalogue


def read_catalogue(client: Api) -> Json | None:
    """Read the catalogue, or use the session's last one; without either say why, return None."""
    try:
        with st.spinner("Loading the form …"):
            catalogue = st.session_state[CATALOGUE_KEY] = client.catalogue()
    except ApiError as error:
        if CATALOGUE_KEY in st.session_state:  # keep a form that is half filled
            return dict(st.session_state[CATALOGUE_KEY])
        with st.container(border=True):
            st.markdown("**The form cannot be shown now**")
            st.write(error.message)
            retry_button(client, error, key="new_again")
        return None
    return catalogue


def follow_address(
    client: Api,
    draft: Draft,
    presets: list[Json],
    uploads: Sequence[Json],
    catalogue: Json,
) -> None:
    """Fill the form once with what the address names; without a name with the first preset."""
    params = st.query_params
    source = next((key for key in ("from", "preset", "dataset", SOURCE) if key in params), "")
    wanted = params.get(source, "")
    settings = {key: params[key] for key in SETTINGS if source == "from" and key in params}
    named = {source: wanted, **settings} if source else {}
    request = "&".join(f"{key}={value}" for key, value in named.items())
    if (request == draft.source or not request) and draft.values:
        return
    chosen = next((preset for preset in presets if preset["id"] == wanted), presets[0])
    note = ""
    if source == "from":
        try:
            copied = client.comparison(wanted)
            spec, note = copied_spec(client, copied, settings, catalogue)
            draft.fill(spec, request)
            draft.note = note or draft.note
            return
        except ApiError as error:
            note = (
                f"Comparison {wanted} could not be read; the form shows a preset instead: "
                f"{error.message}"
            )
    elif source == SOURCE:
        try:
            fill_from_template(client, draft, wanted)
            return
        except ApiError as error:
            note = (
                f"Template {wanted} could not be read; the form shows a preset instead: "
                f"{error.message}"
            )
    elif source == "dataset":
        found = next((one for one in uploads if one["id"] == wanted), None)
        if found is not None:
            draft.fill(spec_for_upload(found), request)
            return
        note = f"There is no uploaded data set {wanted}; this is “{chosen['label']}”."
    elif wanted and chosen["id"] != wanted:
        note = f"There is no preset “{wanted}”; this is “{chosen['label']}”."
    fill_from_preset(draft, chosen, request or f"preset={chosen['id']}")
    draft.note = note or draft.note


def read_uploads(client: Api) -> Sequence[Json]:
    """Read the uploaded data sets; if the API does not give them, show why and return none."""
    try:
        return client.datasets()
    except ApiError as error:
        st.caption(f":material/warning: Uploaded data sets cannot be listed now: {error.message}")
        return []


def written_spec(draft: Draft, refused: str) -> Json:
    """Return the spec of the form; if it cannot be written, rerun the page, which says why.

    Args:
        draft: the draft.
        refused: what has not happened then.
    """
    if unmade := open_sweeps(draft.values):
        draft.note = f"{refused}: a sweep has not become arms yet."
        what = "make its arms, or close the sweep"
        draft.problems = [Problem(f"arms.{index}.sweep", what) for index in unmade]
        st.rerun()
    try:
        spec = write_spec(draft.values, draft.form)
    except (SeedsError, BoundsError) as error:
        draft.note = f"{refused}: 1 setting needs a change."
        path = "seeds" if isinstance(error, SeedsError) else BOUNDS
        draft.problems = [Problem(path, str(error))]
        st.rerun()
    return spec


def submit(client: Api, draft: Draft) -> None:
    """Start the comparison and open its page, or show what is wrong."""
    spec = written_spec(draft, "Not started")
    try:
        created = client.create(spec)
    except ApiError as error:
        draft.problems = problems_from_api(error.fields)
        count = len(draft.problems)
        things = "1 setting needs a change" if count == 1 else f"{count} settings need a change"
        draft.note = f"Not started: {f'{things}.' if count else error.message}"
    else:
        discard_draft()
        st.switch_page("app_pages/comparison.py", query_params={"id": created["id"]})
    st.rerun()


def show_form(client: Api, catalogue: Json) -> None:
    """Draw the whole form."""
    draft = current_draft(read_form(catalogue))
    ready = [preset for preset in catalogue["presets"] if preset["spec"] is not None]
    uploads = read_uploads(client)
    follow_address(client, draft, ready, uploads, catalogue)
    templates = read_templates(client)
    start_cards(draft, ready, templates)
    write = partial(written_spec, draft, "The template was not saved")
    open_template(client, draft, templates, write)
    top = st.container()
    sections.basics(draft)
    sections.data_and_encoder(draft, uploads)
    fit_to_data(draft)
    sections.training(draft)
    st.header("Arms", anchor=False)
    arm_cards(draft)
    tuning(draft)
    replicates.bounds(draft)
    with st.container(border=True):
        left, right = st.columns([1, 2], gap="large")
        with left:
            seeds = replicates.seeds(draft)
        with right:
            sections.summary(client, draft, seeds, catalogue)
            with st.container(horizontal=True, gap="small"):
                pressed = role_button(
                    "editor",
                    "Start comparison",
                    type="primary",
                    icon=":material/play_arrow:",
                    key="new_start",
                )
                save_as_template(client, draft, write)
            if note := role_refusal("editor") or draft.note:
                st.caption(escape_markdown(note))
    with top:
        sections.problems(draft)
    if pressed:
        submit(client, draft)


st.title("New comparison", anchor=False)
st.caption(
    "The same data, initial weights and batches for every arm of a seed; only the loss differs."
)
catalogue = read_catalogue(api())
if catalogue is not None:
    show_form(api(), catalogue)
