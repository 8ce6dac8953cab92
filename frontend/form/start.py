"""The top of the form: the presets, and the import of a spec."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend.api.json_text import JsonTextError, read_json
from frontend.api.types import Template
from frontend.form.draft import Draft
from frontend.form.own_templates import template_buttons
from frontend.form.schema_fields import Option
from frontend.form.widgets import option_caption

Json = Mapping[str, Any]

EXPORT_FORMAT: Final = "lossboard-comparison-"
"""Beginning of the format's name in an export of everything; the version follows."""


GROUP_WIDTH: Final = 260
"""Width in pixels of a group's heading, so that the first buttons of all groups stand in line."""


def start_cards(draft: Draft, presets: Sequence[Json], templates: Sequence[Template]) -> None:
    """Draw the presets, group by group, the team's templates, and the import of a spec."""
    used = next((one for one in presets if draft.source == f"preset={one['id']}"), None)
    groups: dict[str, list[Json]] = {}
    for preset in presets:
        groups.setdefault(preset["group"], []).append(preset)
    with st.container(border=True):
        for group, own in groups.items():
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                st.markdown(f"**{group}**", width=GROUP_WIDTH)
                with st.container(horizontal=True, gap="small"):
                    for preset in own:
                        _preset_button(draft, preset, used=preset is used)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            st.markdown("**Your team's templates**", width=GROUP_WIDTH)
            with st.container(horizontal=True, gap="small", vertical_alignment="center"):
                template_buttons(draft, templates)
        with st.popover("Import a spec", icon=":material/data_object:"):
            st.caption("The JSON that a comparison's “Export” menu gives, the spec or everything.")
            st.text_area("Spec as JSON", key="new_json", height=200)
            st.file_uploader("or a file", type="json", key="new_upload", max_upload_size=1)
            st.button("Fill the form", key="new_fill", on_click=_fill_from_json, args=(draft,))
    if used is not None:
        texts = {name: used[name] for name in ("label", "idea", "paper", "url")}
        option_caption(Option(kind=used["id"], **texts))
        if used["needs"]:
            st.info(used["needs"], icon=":material/upload:")


def _preset_button(draft: Draft, preset: Json, *, used: bool) -> None:
    st.button(
        preset["short"],
        icon=":material/check:" if used else None,
        type="primary" if used else "secondary",
        help=f"{preset['idea']} {preset['needs']}".strip(),
        key=f"new_preset_{preset['id']}",
        on_click=_use_preset,
        args=(draft, preset),
    )


def fill_from_preset(draft: Draft, preset: Json, source: str) -> None:
    """Replace all values by those of a preset; one that needs an upload takes the first of its
    kind.

    Args:
        draft: the draft.
        preset: of the catalogue.
        source: what fills it, as in the address.
    """
    draft.fill(preset["spec"], source)
    if preset["needs"]:
        draft.values.pop("data.dataset", None)


def _use_preset(draft: Draft, preset: Json) -> None:
    fill_from_preset(draft, preset, f"preset={preset['id']}")
    st.query_params.from_dict({"preset": preset["id"]})


def _fill_from_json(draft: Draft) -> None:
    """Fill the form from the uploaded file, else from the pasted text."""
    upload = st.session_state.get("new_upload")
    raw = upload.getvalue() if upload is not None else st.session_state.get("new_json", "")
    try:
        spec = read_json(raw)
    except JsonTextError as error:
        draft.note = f"Not valid JSON. The form was not changed. {error}"
        draft.problems = []
        return
    draft.fill(_spec_of(spec), "json")
    st.query_params.clear()


def _spec_of(document: Any) -> Any:
    """Return the spec in an export of everything; any other document is the spec itself."""
    exported = isinstance(document, dict) and str(document.get("format", "")).startswith(
        EXPORT_FORMAT
    )
    return document.get("spec") if exported else document
