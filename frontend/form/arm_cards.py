"""The arms of the form, side by side: each with its loss and that loss's settings."""

from collections.abc import Callable, Mapping
from html import escape

import streamlit as st

from frontend.form import to_spec
from frontend.form.draft import PREFIX, Draft
from frontend.form.to_spec import arm_count
from frontend.form.widgets import about, cells, complaints, grid, kind, text
from frontend.ui.theme import arm_style
from frontend.ui.widgets import viewer_theme


def arm_cards(draft: Draft) -> None:
    """All arms, two a row."""
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
        args=(lambda values: to_spec.added(values, draft.form.loss),),
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
            args=(lambda values: to_spec.copied(values, index),),
        )
        st.button(
            "Remove",
            icon=":material/delete:",
            type="tertiary",
            key=f"new_remove_arm_{index}",
            disabled=alone,
            help="A comparison needs an arm." if alone else None,
            on_click=draft.rework,
            args=(lambda values: to_spec.removed(values, index),),
        )
    name, loss = st.columns(2)
    with name:
        text(draft, f"{path}.name", "Name")
    with loss:
        before = draft.values.get(f"{path}.loss.kind")
        option = kind(draft, draft.form.loss, f"{path}.loss", changed=_follow(draft, index, before))
    if option.formula:
        st.markdown(f"$\\displaystyle {option.formula}$")
    about(option)
    grid(draft, cells(draft, option.items, f"{path}.loss"))
    _own_training(draft, path)


def _follow(draft: Draft, index: int, before: object) -> Callable[[str], None]:
    """An arm that bears its loss's name takes the next one's name too."""

    def changed(path: str) -> None:
        draft.changed(path)
        name = f"arms.{index}.name"
        if st.session_state.get(PREFIX + name) == before:
            draft.values[name] = ""
            draft.values[name] = to_spec.free_name(draft.values, st.session_state[PREFIX + path])
            st.session_state[PREFIX + name] = draft.values[name]

    return changed


def _own_training(draft: Draft, path: str) -> None:
    """The training settings in which this arm departs from the shared ones."""
    at = f"{path}.training"
    own = draft.values.get(at)
    if not own:
        return
    draft.shown[at] = "Own training settings"
    listed = ", ".join(
        f"{name.replace('_', ' ')} {_in_words(value)}" for name, value in own.items()
    )
    st.html(f"<p style='margin: 0'>Its own training settings: <b>{escape(listed)}</b></p>")
    st.button(
        "Share the others' instead",
        icon=":material/undo:",
        type="tertiary",
        key=f"new_share_{path}",
        on_click=draft.rework,
        args=(lambda values: {**values, at: {}},),
    )
    complaints(draft, at)


def _in_words(value: object) -> str:
    if isinstance(value, Mapping):
        rest = [f"{name.replace('_', ' ')} {one}" for name, one in value.items() if name != "kind"]
        return " ".join([str(value.get("kind", "")), *rest])
    return str(value)


def _swatch(index: int) -> str:
    style = arm_style(index)
    color = style.color(viewer_theme())
    line = f"border-top: 4px {style.css_line} {color}"
    return (
        "<span style='display: flex; align-items: center; gap: 0.6rem; font-weight: 600'>"
        f"<span style='width: 2rem; {line}'></span>Arm {index + 1}</span>"
    )
