"""Where a team's own data come from: an upload, or a path that the workers see."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend.form.draft import Draft
from frontend.form.fields import Field, Option
from frontend.form.widgets import complaints, setting

Upload = Mapping[str, Any]

SOURCES: Final = ("dataset", "folder", "file")
"""Settings of which one says where the data are."""


def source(draft: Draft, data: Option, uploads: Sequence[Upload]) -> None:
    """Ask for one of the uploads of this kind, or for a path."""
    path = next(i for i in data.items if isinstance(i, Field) and i.name in SOURCES[1:])
    fitting = {one["id"]: one for one in uploads if one["kind"] == data.kind}
    at = "data.dataset"
    chosen = draft.values.get(at) or ""
    options = ["", *fitting]
    if chosen and chosen not in fitting:
        options.append(chosen)  # deleted meanwhile: the API says so
    key = draft.bind(at, "Uploaded data set", "")
    draft.values[at] = st.selectbox(
        "Uploaded data set",
        options,
        format_func=lambda one: _title(fitting.get(one), one),
        key=key,
        on_change=draft.changed,
        args=(at,),
    )
    complaints(draft, at)
    if not fitting:
        st.page_link("app_pages/datasets.py", label="Upload one", icon=":material/upload:")
    if draft.values[at]:
        draft.choose(f"data.{path.name}", "")
    else:
        setting(draft, path, f"data.{path.name}")


def _title(upload: Upload | None, one: str) -> str:
    if not one:
        return "none: a path on the workers' machine"
    if upload is None:
        return f"{one} (not there any more)"
    return f"{upload['name']}: {upload['items']:,} items, {upload['classes']:,} classes"


def spec_for(upload: Upload) -> dict[str, Any]:
    """A comparison of the two losses on an upload, to start from; the form adds its defaults."""
    kind = str(upload["kind"])
    encoders: dict[str, dict[str, Any]] = {
        "image_folder": {"encoder": {"kind": "resnet18", "embedding_dim": 128}},
        "features": {"encoder": {"kind": "mlp"}},
        "paired_features": {"encoder": {"kind": "mlp"}, "visual_encoder": {"kind": "mlp"}},
    }
    return {
        "name": f"{upload['name']}: contrastive vs triplet"[:200],
        "data": {"kind": kind, "dataset": upload["id"]},
        **encoders[kind],
        "arms": [
            {"name": loss, "loss": {"kind": loss, "margin": 1.0}}
            for loss in ("contrastive", "triplet")
        ],
        "seeds": [0, 1, 2],
    }
