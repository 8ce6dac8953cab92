"""Where a team's own data come from: an upload, or a path that the workers see."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend.form.draft import Draft
from frontend.form.schema_fields import Field, Option
from frontend.form.to_spec import SOURCES
from frontend.form.widgets import complaints, setting

Upload = Mapping[str, Any]

SMALL: Final = 320
"""Items below which the usual batch would be too much of an epoch."""
FEW: Final = 10
"""Classes below which a split by class leaves hardly any for each split."""


def source(draft: Draft, data: Option, uploads: Sequence[Upload]) -> None:
    """Ask for one of the uploads of this kind, or for a path."""
    path = next(i for i in data.items if isinstance(i, Field) and i.name in SOURCES[1:])
    fitting = {one["id"]: one for one in uploads if one["kind"] == data.kind}
    others = {one["id"] for one in uploads} - fitting.keys()
    at = "data.dataset"
    chosen = draft.values.get(at)
    if chosen is None or chosen in others:  # the kind has just been chosen
        chosen = next(iter(fitting), "")
        draft.choose(at, chosen)
    options = ["", *fitting]
    if chosen not in options:
        options.append(chosen)  # deleted meanwhile: the API says so
    draft.values[at] = st.selectbox(
        "Uploaded data set",
        options,
        format_func=lambda one: _title(fitting.get(one), one),
        key=draft.bind(at, "Uploaded data set", ""),
        on_change=draft.changed,
        args=(at,),
    )
    complaints(draft, at)
    if not fitting:
        st.page_link(
            "app_pages/datasets.py", label="None uploaded yet: upload", icon=":material/upload:"
        )
    if not draft.values[at]:
        setting(draft, path, f"data.{path.name}")


def _title(upload: Upload | None, one: str) -> str:
    if not one:
        return "none: they lie where the workers see them"
    if upload is None:
        return f"{one} (not there any more)"
    return f"{upload['name']}: {upload['items']:,} items, {upload['classes']:,} classes"


def spec_for(upload: Upload) -> dict[str, Any]:
    """A comparison of the two losses on an upload, to start from; the form adds its defaults."""
    kind, items = str(upload["kind"]), int(upload["items"])
    split = "class" if kind == "image_folder" and upload["classes"] >= FEW else "item"
    batch = 64 if items >= SMALL else max(2, 2 ** int(math.log2(max(2, items / 5))))
    encoders: dict[str, dict[str, Any]] = {
        "image_folder": {"encoder": {"kind": "resnet18", "embedding_dim": 128}},
        "features": {"encoder": {"kind": "mlp"}},
        "paired_features": {"encoder": {"kind": "mlp"}, "visual_encoder": {"kind": "mlp"}},
    }
    return {
        "name": f"{upload['name']}: contrastive vs triplet"[:200],
        "data": {"kind": kind, "dataset": upload["id"], "split": split},
        **encoders[kind],
        "training": {"batch_size": batch},
        "arms": [
            {"name": loss, "loss": {"kind": loss, "margin": 1.0}}
            for loss in ("contrastive", "triplet")
        ],
        "seeds": [0, 1, 2],
    }
