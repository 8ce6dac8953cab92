"""Where a new comparison starts from: a preset, or a spec that is pasted or uploaded."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend.form.draft import Draft
from frontend.form.schema_fields import Option
from frontend.form.widgets import about

Json = Mapping[str, Any]

EXPORT: Final = "lossboard-comparison-"
"""How the format of an export of everything begins; its version follows."""


def source_cards(draft: Draft, presets: Sequence[Json]) -> None:
    """The presets, and the way to bring a spec, in a few lines."""
    used = next((one for one in presets if draft.source == f"preset={one['id']}"), None)
    with st.container(border=True), st.container(horizontal=True, gap="small"):
        for preset in presets:
            st.button(
                preset["label"],
                icon=":material/check:" if preset is used else None,
                type="primary" if preset is used else "secondary",
                help=preset["idea"],
                key=f"new_preset_{preset['id']}",
                on_click=_use,
                args=(draft, preset),
            )
        with st.popover("Import a spec", icon=":material/data_object:"):
            st.caption("The JSON that a comparison's “Export” menu gives, the spec or everything.")
            st.text_area("Spec as JSON", key="new_json", height=200)
            st.file_uploader("or a file", type="json", key="new_upload", max_upload_size=1)
            st.button("Fill the form", key="new_fill", on_click=_fill, args=(draft,))
    if used is not None:
        texts = {name: used[name] for name in ("label", "idea", "paper", "url")}
        about(Option(kind=used["id"], **texts))


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
    draft.fill(_spec_of(spec), "json")
    st.query_params.clear()


def _spec_of(document: Any) -> Any:
    """The spec in an export of everything; any other document is taken for a spec itself."""
    exported = isinstance(document, dict) and str(document.get("format", "")).startswith(EXPORT)
    return document.get("spec") if exported else document
