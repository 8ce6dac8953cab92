"""The training settings that one arm has of its own, beside those that all arms share."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from frontend.form.draft import Draft
from frontend.form.schema_fields import Choice, Field
from frontend.form.sweep.arms import own_copy
from frontend.form.to_spec import Values, arm_values, own_training
from frontend.form.widgets import grid_cells, settings_grid, show_problems


def arm_training(draft: Draft, index: int) -> None:
    """Draw the training settings of an arm: its own as fields, the shared ones as text, and what
    adds or removes one."""
    at = f"arms.{index}.training"
    draft.shown[at] = "Own training settings"
    own = own_training(draft.values, draft.form, index)
    free = [item for item in draft.form.arm_training if item not in own]
    if own:
        st.markdown("**Own training settings**")
        settings_grid(draft, grid_cells(draft, own, at))
        with st.container(horizontal=True, gap="small"):
            for item in own:
                st.button(
                    f"Use the shared {item.title.lower()}",
                    icon=":material/undo:",
                    type="tertiary",
                    help=f"As all arms: {_value_text(draft.values, item, f'training.{item.name}')}",
                    key=f"new_share_{at}.{item.name}",
                    on_click=draft.rework,
                    args=(lambda values, name=item.name: shared_again(values, index, name),),
                )
    show_problems(draft, at)
    if free:
        _add(draft, index, free)
        st.caption(f"Shared with all arms: {_listed(draft.values, free)}.")


def shared_again(values: Values, index: int, name: str) -> Values:
    """Return the values with a training setting of an arm as all arms have it."""
    at = f"arms.{index}.training"
    below = f"{at}.{name}"
    kept = {
        path: value
        for path, value in values.items()
        if path != below and not path.startswith(f"{below}.")
    }
    return {**kept, at: tuple(one for one in values.get(at) or () if one != name)}


def _add(draft: Draft, index: int, free: Sequence[Field | Choice]) -> None:
    """Draw the field that gives the arm a training setting of its own, at first as it is shared."""
    key = f"new_own_training_{index}"
    titles = {item.name: item.title for item in free}

    def added() -> None:
        name = st.session_state.get(key)
        if name in titles:
            draft.rework(lambda values: _with_own(draft, values, index, name))
        st.session_state[key] = None

    st.selectbox(
        "Give this arm a training setting of its own",
        list(titles),
        index=None,
        format_func=lambda name: titles[name],
        placeholder="Own training setting",
        label_visibility="collapsed",
        key=key,
        width=260,
        on_change=added,
    )


def _with_own(draft: Draft, values: Values, index: int, name: str) -> Values:
    added = own_copy(name, arm_values(values, index), values, draft.form)
    return {**values, **{f"arms.{index}.{path}": value for path, value in added.items()}}


def _listed(values: Mapping[str, Any], items: Sequence[Field | Choice]) -> str:
    return ", ".join(
        f"{item.title.lower()} {_value_text(values, item, f'training.{item.name}')}"
        for item in items
    )


def _value_text(values: Mapping[str, Any], item: Field | Choice, path: str) -> str:
    """Return the value of a setting as text; of a section its kind and what follows: "Adam (lr
    0.001)"."""
    if isinstance(item, Field):
        value = values.get(path, item.initial)
        return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
    option = item.option(values.get(f"{path}.kind"))
    parts = [
        f"{one.name.replace('_', ' ')} {_value_text(values, one, f'{path}.{one.name}')}"
        for one in option.items
        if isinstance(one, Field) and values.get(f"{path}.{one.name}", one.initial)
    ]
    return f"{option.label} ({', '.join(parts)})" if parts else option.label
