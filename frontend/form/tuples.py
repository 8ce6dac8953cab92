"""Data that come as tuples in the form: only what goes with their shape is offered."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import streamlit as st

from frontend.form.draft import Draft
from frontend.form.schema_fields import Choice, Option
from frontend.form.to_spec import arm_count
from frontend.form.widgets import show_problems

OF_TUPLES: Final = "pairs."
"""Beginning of the keys of the metrics of tuples."""
OF_SCORES: Final = "pairs.spearman"
ITEMS: Final = "data.items"
"""Path of the feature table whose rows the tuples name."""
SAMPLER: Final = "training.sampler"
SHUFFLE: Final = "shuffle"
_OBJECTIVE: Final = "tuning.objective"


def data_shape(draft: Draft) -> str:
    """Return the shape of the chosen data; empty for data with classes."""
    data = draft.form.data.option(draft.values.get("data.kind"))
    if data.shapes:
        return str(draft.values.get("data.shape", data.shape))
    return data.shape


def items_held(draft: Draft, data: Option) -> tuple[str, ...]:
    """Return the kind of the items of each modality: vectors where tuples name the rows of a
    feature table."""
    return ("vectors",) if data.shape and draft.values.get(ITEMS) else data.holds


def losses_offered(draft: Draft) -> Choice:
    """Return the losses that train on the chosen data."""
    shape, every = data_shape(draft), draft.form.loss
    fitting = [one for one in every.options if (shape in one.shapes if shape else one.classes)]
    return replace(every, options=tuple(fitting))


def objectives_offered(draft: Draft, every: Sequence[str]) -> list[str]:
    """Return the metrics that can be the objective of a search on the chosen data."""
    shape = data_shape(draft)
    if not shape:
        return [key for key in every if not key.startswith(OF_TUPLES)]
    scored = shape == "scored_pairs"
    return [key for key in every if key.startswith(OF_TUPLES) and (key == OF_SCORES) == scored]


def fit_to_data(draft: Draft) -> None:
    """Replace what does not go with the chosen data, in fields that are drawn later: losses, their
    selection of tuples, the sampler, and the objective of a search."""
    offered = [one.kind for one in losses_offered(draft).options]
    shape = data_shape(draft)
    for index in range(arm_count(draft.values)):
        path = f"arms.{index}"
        before = draft.values.get(f"{path}.loss.kind")
        if before not in offered:
            draft.choose(f"{path}.loss.kind", offered[index % len(offered)])
            if draft.values.get(f"{path}.name") == before:
                draft.choose(f"{path}.name", f"{offered[index % len(offered)]} {index + 1}")
        if shape and draft.values.get(f"{path}.loss.selection", "all") != "all":
            draft.choose(f"{path}.loss.selection", "all")
    if shape and draft.values.get(f"{SAMPLER}.kind", SHUFFLE) != SHUFFLE:
        draft.choose(f"{SAMPLER}.kind", SHUFFLE)
    known = objectives_offered(draft, list(draft.form.objective_labels))
    if draft.values.get(_OBJECTIVE) not in known:
        first = OF_SCORES if shape == "scored_pairs" else "pairs.mrr"
        draft.choose(_OBJECTIVE, first if shape else "retrieval.map_at_r")


def feature_table(draft: Draft, uploads: Sequence[Mapping[str, Any]]) -> None:
    """Ask for the uploaded feature table whose rows the tuples name; none for tuples of texts."""
    tables = {
        one["id"]: f"{one['name']}: {one['items']:,} rows"
        for one in uploads
        if one["kind"] == "features" and one["state"] == "ready"
    }
    chosen = draft.values.get(ITEMS, "")
    options = ["", *tables, *([chosen] if chosen and chosen not in tables else [])]
    draft.values[ITEMS] = st.selectbox(
        "Items of the tuples",
        options,
        format_func=lambda one: tables.get(one, f"{one} (deleted)") if one else "texts",
        key=draft.bind(ITEMS, "Items of the tuples", ""),
        help="Texts, or ids of the rows of an uploaded feature table.",
        on_change=draft.changed,
        args=(ITEMS,),
    )
    show_problems(draft, ITEMS)
