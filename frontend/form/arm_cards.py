"""The arms of the form as cards, each with its loss and the settings of the loss."""

from collections.abc import Callable

import streamlit as st

from frontend.form import to_spec
from frontend.form.arm_training import arm_training
from frontend.form.draft import KEY_PREFIX, Draft
from frontend.form.sweep.panel import sweep_button, sweep_panel, undo_button
from frontend.form.to_spec import arm_count
from frontend.form.tuning.values import without_search
from frontend.form.tuples import data_shape, losses_offered
from frontend.form.widgets import (
    grid_cells,
    kind_field,
    option_caption,
    settings_grid,
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
    full = _full(draft)
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Add arm",
            icon=":material/add:",
            key="new_add_arm",
            disabled=bool(full),
            help=full or None,
            on_click=draft.rework,
            args=(lambda values: to_spec.add_arm(values, losses_offered(draft)),),
        )
        undo_button(draft)


def _full(draft: Draft) -> str:
    """Return why no arm can be added; "" if one can."""
    most = draft.form.max_arms
    if arm_count(draft.values) < most:
        return ""
    return f"A comparison has at most {most} arms."


def _card(draft: Draft, index: int, *, alone: bool) -> None:
    path = f"arms.{index}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(_swatch(index), width="stretch")
        sweep_button(draft, index)
        full = _full(draft)
        st.button(
            "Duplicate",
            icon=":material/content_copy:",
            type="tertiary",
            key=f"new_copy_arm_{index}",
            disabled=bool(full),
            help=full or None,
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
        before, offered = draft.values.get(f"{path}.loss.kind"), losses_offered(draft)
        option = kind_field(
            draft,
            offered,
            f"{path}.loss",
            changed=_rename_with_loss(draft, index, before),
        )
        if len(offered.options) == 1:
            st.markdown(f"{option.label}, the loss that trains on these data")
    if option.formula:
        st.markdown(f"$\\displaystyle {option.formula}$")
    option_caption(option)
    cells = grid_cells(draft, option.items, f"{path}.loss")
    if data_shape(draft):  # the data say which tuples there are
        cells = [cell for cell in cells if cell.item.name != "selection"]
    settings_grid(draft, cells)
    arm_training(draft, index)
    sweep_panel(draft, index)


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


def _swatch(index: int) -> str:
    style = arm_style(index)
    sample = line_sample(style.color(viewer_theme()), style.dash)
    return f"<span style='font-weight: 600'>{sample}Arm {index + 1}</span>"
