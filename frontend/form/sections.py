"""The sections of the form: name, data, encoders, training, seeds, problems."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import streamlit as st

from frontend.api.client import Api
from frontend.comparison.spec_text import Catalogue, arm_settings, difference_text
from frontend.form.draft import Draft
from frontend.form.from_spec import DEFAULT_SEEDS
from frontend.form.preview_html import preview_html
from frontend.form.schema_fields import (
    BOUNDS,
    Choice,
    Field,
    Option,
    path_text,
    problem_field,
)
from frontend.form.to_spec import SOURCE_SETTINGS, arm_count, identical_arms, write_spec
from frontend.form.tuning.size import runs_text
from frontend.form.tuning.values import with_ready_spaces
from frontend.form.tuples import ITEMS, SAMPLER, data_shape, feature_table, items_held
from frontend.form.widgets import (
    encoder_card,
    grid_cells,
    kind_field,
    option_caption,
    problem_color,
    setting_field,
    settings_grid,
    show_problems,
    text_field,
)

Upload = Mapping[str, Any]

FEW_ITEMS: Final = 320
"""With fewer items the default batch would be too large a part of an epoch."""
FEW_CLASSES: Final = 10
"""With fewer classes a split by class leaves too few classes for each split."""


PAIR: Final = tuple(
    {"name": loss, "loss": {"kind": loss, "margin": 1.0}} for loss in ("contrastive", "triplet")
)
"""The arms of a new comparison on an upload with classes."""
_CONTRASTIVE: Final = {
    "name": "contrastive",
    "loss": {"kind": "contrastive", "reduction": "balanced", "margin": 1.0},
}
_INFO_NCE: Final = {"name": "info_nce", "loss": {"kind": "info_nce", "temperature": 0.05}}
_COSENT: Final = {"name": "cosent", "loss": {"kind": "cosent", "scale": 20.0}}
TUPLE_ARMS: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "pairs": (_CONTRASTIVE, PAIR[1], _INFO_NCE),
    "triplets": (_CONTRASTIVE, PAIR[1], _INFO_NCE),
    "labelled_pairs": (_CONTRASTIVE, _COSENT),
    "scored_pairs": (
        {"name": "cosent, scale 20", "loss": _COSENT["loss"]},
        {"name": "cosent, scale 5", "loss": {"kind": "cosent", "scale": 5.0}},
    ),
}
"""Kind of an upload of tuples -> the arms of a new comparison on it."""


def data_source(draft: Draft, data: Option, uploads: Sequence[Upload]) -> None:
    """Ask for one of the uploads of this kind, or for a path that the workers can read."""
    path = next(i for i in data.items if isinstance(i, Field) and i.name in SOURCE_SETTINGS[1:])
    ready = [one for one in uploads if one["state"] == "ready"]
    fitting = {one["id"]: one for one in ready if one["kind"] == data.kind}
    others = {one["id"] for one in ready} - fitting.keys()
    at = "data.dataset"
    chosen = draft.values.get(at)
    if chosen is None or chosen in others:  # the kind has just been chosen
        chosen = next(iter(fitting), "")
        draft.choose(at, chosen)
    options = ["", *fitting]
    if chosen not in options:
        options.append(chosen)  # it was deleted meanwhile: the API will say so
    draft.values[at] = st.selectbox(
        "Uploaded data set",
        options,
        format_func=lambda one: _upload_title(fitting.get(one), one),
        key=draft.bind(at, "Uploaded data set", ""),
        on_change=draft.changed,
        args=(at,),
    )
    show_problems(draft, at)
    if not fitting:
        st.page_link(
            "app_pages/datasets.py", label="None uploaded yet: upload", icon=":material/upload:"
        )
    if not draft.values[at]:
        setting_field(draft, path, f"data.{path.name}")


def _upload_title(upload: Upload | None, one: str) -> str:
    if not one:
        return "none: they lie where the workers see them"
    if upload is None:
        return f"{one} (deleted)"
    if upload["kind"] in TUPLE_ARMS:
        return f"{upload['name']}: {upload['items']:,} tuples"
    return f"{upload['name']}: {upload['items']:,} items, {upload['classes']:,} classes"


def spec_for_upload(upload: Upload) -> dict[str, Any]:
    """Return a spec that compares two losses on an upload; the form adds its defaults."""
    kind, items = str(upload["kind"]), int(upload["items"])
    given = upload.get("answers", {}).get("split") == "keep"
    split = "class" if kind == "image_folder" and upload["classes"] >= FEW_CLASSES else "item"
    batch = 64 if items >= FEW_ITEMS else max(2, 2 ** int(math.log2(max(2, items / 5))))
    split = "given" if given or (kind == "text" and upload["has_split"]) else split
    background = {"background": "white"} if kind == "image_folder" else {}
    encoders: dict[str, dict[str, Any]] = {
        "image_folder": {"encoder": {"kind": "resnet18", "embedding_dim": 128}},
        "features": {"encoder": {"kind": "mlp"}},
        "paired_features": {"encoder": {"kind": "mlp"}, "visual_encoder": {"kind": "mlp"}},
        "text": {"encoder": {"kind": "static_text"}},
        **{kind: {"encoder": {"kind": "static_text"}} for kind in TUPLE_ARMS},
    }
    arms: Sequence[Mapping[str, Any]] = TUPLE_ARMS.get(kind, PAIR)
    if kind in TUPLE_ARMS:
        split = "given" if upload["has_split"] else "groups"
    return {
        "name": f"{upload['name']}: {' vs '.join(str(arm['name']) for arm in arms)}"[:200],
        "data": {"kind": kind, "dataset": upload["id"], "split": split, **background},
        **encoders[kind],
        "training": {"batch_size": batch},
        "arms": [{**arm, "loss": dict(arm["loss"])} for arm in arms],
        "seeds": DEFAULT_SEEDS,
    }


HIDDEN_MEASURES = {"snapshot_every", "snapshot_size"}
"""Settings of `measure` that the form does not show; they keep the spec's values."""


def basics(draft: Draft) -> None:
    """Draw the fields for name, tags and notes."""
    with st.container(border=True):
        name, tags = st.columns([2, 1])
        with name:
            text_field(draft, "name", "Name")
        with tags:
            text_field(
                draft,
                "tags",
                "Tags",
                hint="demo, ablation",
                note='Separated by commas; "in, quotes" where a tag has one.',
            )
        key = draft.bind("notes", "Notes", "")
        draft.values["notes"] = st.text_area(
            "Notes",
            key=key,
            height=80,
            placeholder="What should this comparison show? Markdown works.",
            on_change=draft.changed,
            args=("notes",),
        )
        show_problems(draft, "notes")


def data_and_encoder(draft: Draft, uploads: Sequence[Upload]) -> None:
    """Draw the fields for the data and the encoder; data of two modalities have two encoders."""
    form = draft.form
    chosen = form.data.option(draft.values.get("data.kind"))
    if len(chosen.holds) == 1:
        left, right = st.columns(2)
        with left, st.container(border=True, height="stretch"):
            _data_section(draft, uploads, columns=2)
        chosen = form.data.option(draft.values.get("data.kind"))
        [held, *_] = items_held(draft, chosen)
        with right, st.container(border=True, height="stretch"):
            encoder_card(draft, form.encoder, chosen, held, form.encoder.title)
        return
    with st.container(border=True):
        _data_section(draft, uploads, columns=4)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        encoder_card(draft, form.encoder, chosen, chosen.holds[0], "Audio encoder")
    with right, st.container(border=True, height="stretch"):
        visual = form.visual_encoder
        encoder_card(draft, visual, chosen, chosen.holds[1], visual.title)


def _data_section(draft: Draft, uploads: Sequence[Upload], columns: int) -> None:
    """Draw the fields for the data and their split."""
    st.header(draft.form.data.title, anchor=False)
    data = kind_field(draft, draft.form.data, "data", label="Kind")
    option_caption(data)
    asked = grid_cells(draft, data.items, "data")
    if any(cell.item.name == "dataset" for cell in asked):
        data_source(draft, data, uploads)
        asked = [cell for cell in asked if cell.item.name not in SOURCE_SETTINGS]
    if data.shape and any(cell.path == ITEMS for cell in asked):
        feature_table(draft, uploads)
        asked = [cell for cell in asked if cell.path != ITEMS]
    if draft.values.get("data.split") in ("item", "given"):
        asked = [cell for cell in asked if cell.item.name != "validation"]
    if draft.values.get("data.split") == "given" or draft.values.get("data.dataset"):
        asked = [cell for cell in asked if cell.item.name != "merge"]
    settings_grid(draft, asked, columns)


def training(draft: Draft) -> None:
    """Draw the fields for training and measuring."""
    with st.container(border=True):
        st.header("Training", anchor=False)
        asked = tuple(item for item in draft.form.measure if item.name not in HIDDEN_MEASURES)
        shared = grid_cells(draft, draft.form.training, "training")
        if "images" not in draft.form.data.option(draft.values.get("data.kind")).holds:
            shared = [cell for cell in shared if cell.item.name != "augmentation"]
        if data_shape(draft):  # batches of tuples are drawn at random
            shared = [cell for cell in shared if not cell.path.startswith(SAMPLER)]
        first = next((at for at, cell in enumerate(shared) if isinstance(cell.item, Choice)), 0)
        shared[first:first] = grid_cells(draft, asked, "measure")
        settings_grid(draft, shared, columns=4)


def summary(client: Api, draft: Draft, seeds: list[int], catalogue: Catalogue) -> None:
    """Say what will be started: how many runs, in what the arms differ besides the loss, and the
    preview of the API.

    Args:
        client: of the API.
        draft: the draft.
        seeds: of the final runs.
        catalogue: the API's catalogue.
    """
    arms = arm_count(draft.values)
    if not seeds:
        st.markdown("Correct the seeds to see the number of runs.")
        return
    spec = write_spec({**draft.values, BOUNDS: ""}, draft.form)  # which may not be readable
    st.markdown(f"**{runs_text(draft.values, arms, seeds)}**")
    if arms > 1:
        rows = arm_settings(with_ready_spaces(draft.values, draft.form, spec), catalogue)
        fair = not any(row.differs for row in rows[1:])
        icon = ":material/balance:" if fair else ":material/warning:"
        st.caption(f"{icon} {difference_text(rows)}")
        for first, second in identical_arms(spec["arms"]):
            st.caption(f":material/warning: Arms {first} and {second} differ only in name.")
    st.html(preview_html(draft.preview.read(client, spec), draft.shown))


def problems(draft: Draft) -> None:
    """Draw the list of all problems that keep the comparison from starting, if there are any."""
    if not (draft.note or draft.problems):
        return
    lines = "".join(
        f"<li><b>{escape(path_text(at, draft.shown))}</b>: {escape(found.message)}</li>"
        for found in draft.problems
        for at in [problem_field(found, draft.shown) or found.path or "spec"]
    )
    note = escape(draft.note.replace("`", ""))
    listed = f"<ul style='margin: 0.4rem 0 0; padding-left: 1.2rem'>{lines}</ul>" if lines else ""
    with st.container(border=True, key="new_problems"):
        st.html(
            f"<style>.st-key-new_problems {{ border-left: 4px solid {problem_color()} }}</style>"
            f"<p role='alert' style='margin: 0; color: {problem_color()}'><b>{note}</b></p>{listed}"
        )
