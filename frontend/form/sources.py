"""Where a new comparison starts from: a preset, or a spec that is pasted or uploaded."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from frontend.form.draft import Draft
from frontend.form.fields import Option
from frontend.form.widgets import about

Json = Mapping[str, Any]


def source_cards(draft: Draft, presets: Sequence[Json]) -> None:
    """The presets and the way to bring a spec, side by side."""
    columns = st.columns(len(presets) + 1)
    for column, preset in zip(columns, presets, strict=False):
        with column, st.container(border=True, height="stretch"):
            _preset(draft, preset)
    with columns[-1], st.container(border=True, height="stretch"):
        st.markdown("**Your own spec**")
        st.caption("The JSON that “Export spec” of a comparison gives.")
        with st.popover("Paste or upload", icon=":material/data_object:"):
            st.text_area("Spec as JSON", key="new_json", height=200)
            st.file_uploader("or a file", type="json", key="new_upload", max_upload_size=1)
            st.button("Fill the form", key="new_fill", on_click=_fill, args=(draft,))


def _preset(draft: Draft, preset: Json) -> None:
    used = draft.source == f"preset={preset['id']}"
    st.markdown(f"**{preset['label']}**")
    texts = {name: preset[name] for name in ("label", "idea", "paper", "url")}
    about(Option(kind=preset["id"], **texts))
    st.button(
        "Start over from this" if used else "Start from this",
        icon=":material/check:" if used else None,
        key=f"new_preset_{preset['id']}",
        on_click=_use,
        args=(draft, preset),
    )


def _use(draft: Draft, preset: Json) -> None:
    draft.fill(preset["spec"], f"preset={preset['id']}")
    st.query_params.from_dict({"preset": preset["id"]})


def _fill(draft: Draft) -> None:
    """Fill the form from the file, or else from the text."""
    upload = st.session_state.get("new_upload")
    raw = upload.getvalue() if upload is not None else st.session_state.get("new_json", "")
    try:
        spec = json.loads(raw)
    except (ValueError, RecursionError) as error:
        draft.note = f"The form is as it was, for this is no JSON: {error}"
        draft.problems = []
        return
    draft.fill(spec, "json")
    st.query_params.clear()
