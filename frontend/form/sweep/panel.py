"""The panel of an arm in which settings get several values and become arms."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import streamlit as st

from frontend.form.draft import Draft
from frontend.form.sweep.arms import (
    SEARCH,
    SWEEP,
    SweptArm,
    check_count,
    swept_arms,
    value_text,
)
from frontend.form.sweep.settings import SweepSetting, sweep_settings
from frontend.form.sweep.values import (
    EXAMPLES,
    WHOLE_EXAMPLES,
    SweepError,
    check_choices,
    options_of,
    parse_values,
)
from frontend.form.to_spec import Values, all_arms, arm_count, arm_values, put_arms, with_arms
from frontend.form.tuning.values import ON, ready_settings
from frontend.form.widgets import setting_labels, show_problem, show_problems
from frontend.ui.text import count_text

_SYNTAX: Final = (
    "A list: 0.1, 0.2, 0.5. A range: 0.1...0.5, 5 points, or 0...1 step 0.25, or with equal ratios "
    "0.05...2 log, 5 points."
)


def sweep_button(draft: Draft, index: int) -> None:
    """Draw the button that opens an arm's sweep, and closes it."""
    at = f"arms.{index}.{SWEEP}"
    is_open = draft.values.get(at) is not None
    st.button(
        "Close sweep" if is_open else "Sweep",
        icon=":material/close:" if is_open else ":material/call_split:",
        type="tertiary",
        key=f"new_sweep_{index}",
        help=None if is_open else "Make arms of this one that differ in the values of a setting.",
        on_click=draft.rework,
        args=(lambda values: {**values, at: None if is_open else ()},),
    )


def undo_button(draft: Draft) -> None:
    """Draw the button that brings back the arms from before the last sweep."""
    before = draft.before_sweep
    if before is None:
        return

    def undo() -> None:
        draft.before_sweep = None
        draft.rework(lambda values: with_arms(values, before))

    st.button(
        "Undo sweep",
        icon=":material/undo:",
        key="new_undo_sweep",
        help=f"Back to the {count_text(len(before), 'arm')} from before.",
        on_click=undo,
    )


def open_sweeps(values: Values) -> list[int]:
    """Return the arms that have a sweep which has not become arms."""
    return [index for index in range(arm_count(values)) if values.get(f"arms.{index}.{SWEEP}")]


def sweep_panel(draft: Draft, index: int) -> None:
    """Draw the sweep of an arm, where it is open: its settings, and the arms that it makes."""
    at = f"arms.{index}.{SWEEP}"
    paths = draft.values.get(at)
    if paths is None:
        return
    arm = arm_values(draft.values, index)
    settings = sweep_settings(arm, draft.values, draft.form)
    paths = draft.values[at] = tuple(path for path in paths if path in settings)
    draft.shown[at] = "Sweep"
    with st.container(border=True, key=f"new_sweep_panel_{index}"):
        st.markdown("**Sweep: one arm for each value**")
        for path in paths:
            _row(draft, index, settings[path])
        _add(draft, index, [one for path, one in settings.items() if path not in paths])
        show_problems(draft, at)
        if paths:
            _preview(draft, index)


def _row(draft: Draft, index: int, setting: SweepSetting) -> None:
    path = f"arms.{index}.{SWEEP}.{setting.path}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if options_of(setting.item):
            _choices(draft, path, setting)
        else:
            _text(draft, path, setting)
        st.button(
            "Remove",
            icon=":material/close:",
            type="tertiary",
            key=f"new_sweep_remove_{index}_{setting.path}",
            help=f"Leave {setting.title.lower()} out of the sweep.",
            on_click=_set_paths,
            args=(draft, index, setting.path, False),
        )
    show_problems(draft, path)
    if draft.values.get(path) and not draft.problems_at(path):
        try:
            _values(draft.values, index, setting)
        except SweepError as error:
            show_problem(path, str(error))


def _text(draft: Draft, path: str, setting: SweepSetting) -> None:
    whole = setting.item.type == "integer"
    typed = st.text_input(
        setting.title,
        key=draft.bind(path, f"Sweep of {setting.title.lower()}", ""),
        placeholder=WHOLE_EXAMPLES if whole else EXAMPLES,
        help=f"{setting.item.help} {_SYNTAX}".strip(),
        on_change=draft.changed,
        args=(path,),
    )
    draft.values[path] = typed or ""


def _choices(draft: Draft, path: str, setting: SweepSetting) -> None:
    draft.values[path] = st.multiselect(
        setting.title,
        options_of(setting.item),
        format_func=lambda value: value_text(setting, value),
        key=draft.bind(path, f"Sweep of {setting.title.lower()}", []),
        help=setting.item.help or None,
        on_change=draft.changed,
        args=(path,),
    )


def _values(values: Values, index: int, setting: SweepSetting) -> Sequence[Any]:
    """Return the values that a setting shall have.

    Raises:
        SweepError: what was typed or chosen is no list of values.
    """
    raw = values.get(f"arms.{index}.{SWEEP}.{setting.path}")
    if options_of(setting.item):
        return check_choices(raw or [], setting.item)
    return parse_values(raw or "", setting.item)


def _add(draft: Draft, index: int, free: Sequence[SweepSetting]) -> None:
    """Draw the field that takes a setting into the sweep."""
    titles = {one.path: one for one in free}
    key = f"new_sweep_add_{index}"

    def added() -> None:
        if (path := st.session_state.get(key)) in titles:
            _set_paths(draft, index, path, True)
        st.session_state[key] = None

    if titles:
        st.selectbox(
            "Setting to sweep",
            list(titles),
            index=None,
            format_func=setting_labels({one.path: one.title for one in free}).__getitem__,
            placeholder="Add a setting to sweep",
            label_visibility="collapsed",
            key=key,
            on_change=added,
        )


def _set_paths(draft: Draft, index: int, path: str, add: bool) -> None:
    """Take a setting into an arm's sweep or out of it, in a callback."""
    at = f"arms.{index}.{SWEEP}"

    def change(values: Values) -> Values:
        kept = tuple(one for one in values.get(at) or () if one != path)
        return {**values, at: (*kept, path) if add else kept}

    draft.rework(change)


def _preview(draft: Draft, index: int) -> None:
    """Draw the arms that the sweep makes, and what makes them."""
    try:
        made = made_arms(draft, draft.values, index, keep=False)
    except SweepError as error:
        if _is_complete(draft, index):
            show_problem(f"arms.{index}.{SWEEP}", str(error))
        return
    try:
        made_arms(draft, draft.values, index, keep=True)
        crowded = ""
    except SweepError as error:
        crowded = str(error)
    st.html(_preview_html(made))
    with st.container(horizontal=True, gap="small"):
        st.button(
            f"Replace this arm by {count_text(len(made), 'arm')}",
            icon=":material/check:",
            key=f"new_sweep_replace_{index}",
            on_click=_make,
            args=(draft, index, False),
        )
        st.button(
            f"Keep it and add {len(made)}",
            icon=":material/add:",
            type="tertiary",
            key=f"new_sweep_keep_{index}",
            disabled=bool(crowded),
            help=crowded or None,
            on_click=_make,
            args=(draft, index, True),
        )


def _is_complete(draft: Draft, index: int) -> bool:
    """Return whether every setting of a sweep has readable values, so that what is wrong with the
    sweep is not told below one of its fields."""
    arm = arm_values(draft.values, index)
    settings = sweep_settings(arm, draft.values, draft.form)
    try:
        for path in arm[SWEEP]:
            if path in settings:
                _values(draft.values, index, settings[path])
    except SweepError:
        return False
    return True


def made_arms(draft: Draft, values: Values, index: int, *, keep: bool) -> list[SweptArm]:
    """Return the arms that an arm's sweep makes.

    Args:
        draft: the draft.
        values: of the form.
        index: the arm.
        keep: whether the arm stays beside them.

    Raises:
        SweepError: a setting's values cannot be read, or there would be too many arms.
    """
    form = draft.form
    arms = all_arms(values)
    arm = arms[index]
    settings = sweep_settings(arm, values, form)
    swept = {
        path: _values(values, index, settings[path]) for path in arm[SWEEP] if path in settings
    }
    ready = [one.path for one in ready_settings(form, values, index)]
    if values.get(ON) and arm.get(SEARCH) is None and set(ready) & swept.keys():
        arm = {**arm, SEARCH: ready}
    stay = [one for at, one in enumerate(arms) if keep or at != index]
    check_count(swept, len(stay), form)
    return swept_arms(arm, swept, values, form, taken=[str(one["name"]) for one in stay])


def _make(draft: Draft, index: int, keep: bool) -> None:
    """Make the arms of a sweep, in a callback; what was typed last may have made it unreadable."""

    def change(values: Values) -> Values:
        try:
            made = made_arms(draft, values, index, keep=keep)
        except SweepError:
            return values
        draft.before_sweep = all_arms(values)
        return put_arms(values, index, [arm.values for arm in made], keep=keep)

    draft.rework(change)


def _preview_html(made: Sequence[SweptArm]) -> str:
    """Return the names of the arms as a list."""
    names = "".join(
        "<li style='border: 1px solid color-mix(in srgb, currentColor 25%, transparent); "
        f"border-radius: 0.5rem; padding: 0.1rem 0.5rem'>{escape(str(arm.values['name']))}</li>"
        for arm in made
    )
    return (
        f"<p style='margin: 0 0 0.3rem' role='status'>Makes {count_text(len(made), 'arm')}:</p>"
        "<ol style='list-style: none; display: flex; flex-wrap: wrap; gap: 0.3rem; margin: 0; "
        f"padding: 0; font-size: 0.87rem'>{names}</ol>"
    )
