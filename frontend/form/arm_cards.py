"""The arms of the form as cards, each with its loss and the settings of the loss."""

from collections.abc import Callable, Mapping
from html import escape

import streamlit as st

from frontend.form import to_spec
from frontend.form.draft import KEY_PREFIX, Draft
from frontend.form.to_spec import arm_count
from frontend.form.tuning.values import without_search
from frontend.form.widgets import (
    grid_cells,
    kind_field,
    option_caption,
    settings_grid,
    show_problems,
    text_field,
)
from frontend.ui.theme import arm_style, line_sample
from frontend.ui.widgets import viewer_theme


def arm_cards(draft: Draft) -> None:
    """Draw the cards of all arms, two in a row, and the button that adds an arm."""
    count = arm_count(draft.values)
    for start in range(0, count, 2):
        columns = st.columns(2)
        for column, index in zip(columns, range(start, min(start + 2, count)), strict=False):
            with column, st.container(border=True, height="stretch"):
                _card(draft, index, alone=count == 1)
    st.button(
        "Add arm",
        icon=":material/add:",
        key="new_add_arm",
        on_click=draft.rework,
        args=(lambda values: to_spec.add_arm(values, draft.form.loss),),
    )


def _card(draft: Draft, index: int, *, alone: bool) -> None:
    path = f"arms.{index}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(_swatch(index), width="stretch")
        st.button(
            "Duplicate",
            icon=":material/content_copy:",
            type="tertiary",
            key=f"new_copy_arm_{index}",
            on_click=draft.rework,
            args=(lambda values: to_spec.copy_arm(values, index),),
        )
        st.button(
            "Remove",
            icon=":material/delete:",
            type="tertiary",
            key=f"new_remove_arm_{index}",
            disabled=alone,
            help="A comparison needs at least one arm." if alone else None,
            on_click=draft.rework,
            args=(lambda values: to_spec.remove_arm(values, index),),
        )
    name, loss = st.columns(2)
    with name:
        text_field(draft, f"{path}.name", "Name")
    with loss:
        before = draft.values.get(f"{path}.loss.kind")
        option = kind_field(
            draft, draft.form.loss, f"{path}.loss", changed=_rename_with_loss(draft, index, before)
        )
    if option.formula:
        st.markdown(f"$\\displaystyle {option.formula}$")
    option_caption(option)
    settings_grid(draft, grid_cells(draft, option.items, f"{path}.loss"))
    _arm_training(draft, path)


def _rename_with_loss(draft: Draft, index: int, before: object) -> Callable[[str], None]:
    """Return the handler of a changed loss: an arm named after its loss is renamed with it."""

    def changed(path: str) -> None:
        draft.changed(path)
        draft.values = without_search(draft.values, index)  # another loss has another space
        name = f"arms.{index}.name"
        if st.session_state.get(KEY_PREFIX + name) == before:
            draft.values[name] = ""
            draft.values[name] = to_spec.free_name(
                draft.values, st.session_state[KEY_PREFIX + path]
            )
            st.session_state[KEY_PREFIX + name] = draft.values[name]

    return changed


def _arm_training(draft: Draft, path: str) -> None:
    """Show the training settings in which this arm differs from the shared ones."""
    at = f"{path}.training"
    changed = draft.values.get(at)
    if not changed:
        return
    draft.shown[at] = "Own training settings"
    listed = ", ".join(
        f"{name.replace('_', ' ')} {_value_text(value)}" for name, value in changed.items()
    )
    st.html(f"<p style='margin: 0'>Its own training settings: <b>{escape(listed)}</b></p>")
    st.button(
        "Use the shared settings",
        icon=":material/undo:",
        type="tertiary",
        key=f"new_share_{path}",
        on_click=draft.rework,
        args=(lambda values: {**values, at: {}},),
    )
    show_problems(draft, at)


def _value_text(value: object) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    rest = ", ".join(
        f"{name.replace('_', ' ')} {one}"
        for name, one in value.items()
        if name != "kind" and one is not None
    )
    kind = str(value.get("kind", ""))
    return f"{kind} ({rest})" if rest else kind


def _swatch(index: int) -> str:
    style = arm_style(index)
    sample = line_sample(style.color(viewer_theme()), style.dash)
    return f"<span style='font-weight: 600'>{sample}Arm {index + 1}</span>"
