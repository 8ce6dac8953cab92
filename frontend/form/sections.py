"""The form's sections, from the name to the start."""

from collections.abc import Sequence
from html import escape

import streamlit as st

from frontend.comparison.spec_text import Catalogue, difference, settings
from frontend.form.arms import twins
from frontend.form.draft import Draft
from frontend.form.encoders import encoder_card
from frontend.form.problems import in_words, place
from frontend.form.schema_fields import Choice
from frontend.form.to_spec import SOURCES, arm_count, write_spec
from frontend.form.uploads import Upload, source
from frontend.form.widgets import about, cells, complain, complaints, grid, kind, red, text
from frontend.ui.seeds import SeedsError, parse_seeds

KEPT = {"snapshot_every", "snapshot_size"}
"""Settings of `measure` that keep the spec's values and are not asked for."""


def basics(draft: Draft) -> None:
    """What the comparison is called."""
    with st.container(border=True):
        name, tags = st.columns([2, 1])
        with name:
            text(draft, "name", "Name")
        with tags:
            text(draft, "tags", "Tags", hint="demo, ablation", note="Separated by commas.")
        key = draft.bind("notes", "Notes", "")
        draft.values["notes"] = st.text_area(
            "Notes",
            key=key,
            height=80,
            placeholder="What should this comparison show? Markdown works.",
            on_change=draft.changed,
            args=("notes",),
        )
        complaints(draft, "notes")


def data_and_encoder(draft: Draft, uploads: Sequence[Upload]) -> None:
    """On what and with which networks all arms train; of two modalities each has its own."""
    form = draft.form
    chosen = form.data.option(draft.values.get("data.kind"))
    if len(chosen.holds) == 1:
        left, right = st.columns(2)
        with left, st.container(border=True, height="stretch"):
            _data(draft, uploads, columns=2)
        with right, st.container(border=True, height="stretch"):
            encoder_card(draft, form.encoder, chosen, chosen.holds[0], form.encoder.title)
        return
    with st.container(border=True):
        _data(draft, uploads, columns=4)
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        encoder_card(draft, form.encoder, chosen, chosen.holds[0], "Audio encoder")
    with right, st.container(border=True, height="stretch"):
        visual = form.visual_encoder
        encoder_card(draft, visual, chosen, chosen.holds[1], visual.title)


def _data(draft: Draft, uploads: Sequence[Upload], columns: int) -> None:
    """Which data, and how they are split."""
    st.subheader(draft.form.data.title, anchor=False)
    data = kind(draft, draft.form.data, "data", label="Kind")
    about(data)
    asked = cells(draft, data.items, "data")
    if any(cell.item.name == "dataset" for cell in asked):
        source(draft, data, uploads)
        asked = [cell for cell in asked if cell.item.name not in SOURCES]
    if draft.values.get("data.split") == "item":
        asked = [cell for cell in asked if cell.item.name != "validation"]
    grid(draft, asked, columns)


def training(draft: Draft) -> None:
    """How all arms train, and when they are measured."""
    with st.container(border=True):
        st.subheader("Training", anchor=False)
        asked = tuple(item for item in draft.form.measure if item.name not in KEPT)
        shared = cells(draft, draft.form.training, "training")
        if "images" not in draft.form.data.option(draft.values.get("data.kind")).holds:
            shared = [cell for cell in shared if cell.item.name != "augmentation"]
        first = next((at for at, cell in enumerate(shared) if isinstance(cell.item, Choice)), 0)
        shared[first:first] = cells(draft, asked, "measure")
        grid(draft, shared, columns=4)


def seeds(draft: Draft) -> list[int]:
    """With which seeds each arm runs; none while the text cannot be read."""
    text(draft, "seeds", "Seeds", hint="0-4", note="Ranges and single seeds: 0-4 or 0, 1, 7.")
    try:
        return parse_seeds(draft.values["seeds"])
    except SeedsError as error:
        if not draft.problems_at("seeds"):  # a refused start has said it there already
            complain("seeds", str(error))
        return []


def summary(draft: Draft, seeds: list[int], catalogue: Catalogue) -> None:
    """How many runs it makes, and in what the arms differ besides the loss."""
    arms = arm_count(draft.values)
    if not seeds:
        st.markdown("Correct the seeds to see how many runs this makes.")
        return
    st.markdown(
        f"**{_counted(arms, 'arm')} × {_counted(len(seeds), 'seed')} = "
        f"{_counted(arms * len(seeds), 'run')}**"
    )
    if arms > 1:
        spec = write_spec(draft.values, draft.form)
        rows = settings(spec, catalogue)
        fair = not any(row.differs for row in rows[1:])
        icon = ":material/balance:" if fair else ":material/warning:"
        st.caption(f"{icon} {difference(rows)}")
        for first, second in twins(spec["arms"]):
            st.caption(f":material/warning: Arms {first} and {second} differ in nothing but name.")


def problems(draft: Draft) -> None:
    """Everything that keeps the comparison from starting, in one place; nothing if there is
    nothing."""
    if not (draft.note or draft.problems):
        return
    lines = "".join(
        f"<li><b>{escape(in_words(at, draft.shown))}</b>: {escape(found.message)}</li>"
        for found in draft.problems
        for at in [place(found, draft.shown) or found.path or "spec"]
    )
    note = escape(draft.note.replace("`", ""))
    listed = f"<ul style='margin: 0.4rem 0 0; padding-left: 1.2rem'>{lines}</ul>" if lines else ""
    with st.container(border=True, key="new_problems"):
        st.html(
            f"<style>.st-key-new_problems {{ border-left: 4px solid {red()} }}</style>"
            f"<p role='alert' style='margin: 0; color: {red()}'><b>{note}</b></p>{listed}"
        )


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
