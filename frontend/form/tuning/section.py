"""The section of the form for a search: its settings, and a row for each searched setting."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import streamlit as st

from frontend.form.draft import KEY_PREFIX, Draft
from frontend.form.schema_fields import Field
from frontend.form.to_spec import arm_count
from frontend.form.tuning.settings import (
    SCALES,
    SearchSetting,
    chosen_value,
    first_space,
    named,
)
from frontend.form.tuning.values import (
    ON,
    TRIAL_SEEDS,
    field_path,
    fitting_settings,
    ready_settings,
    search_path,
    settings_of,
    space_values,
    without_search,
)
from frontend.form.tuples import objectives_offered
from frontend.form.widgets import (
    Cell,
    grid_cells,
    setting_field,
    setting_labels,
    show_problem,
    show_problems,
    text_field,
)
from frontend.ui.seeds import SeedsError, parse_seeds
from frontend.ui.text import escape_markdown
from frontend.ui.theme import arm_style
from frontend.ui.widgets import viewer_theme

_COLUMNS: Final = 4
_WIDTHS: Final = (2.1, 1.3, 1.5, 1.5, 0.9)
"""Of the columns of a row: title, scale, low, high, button."""
_WIDTHS_OF_CHOICES: Final = (2.1, 1.3, 3.0, 0.9)
_SCALE_TITLES: Final = {"linear": "linear", "log": "logarithmic", "choices": "choices"}
_WHAT: Final = (
    "First every arm gets the same number of trials over its own space, judged on validation data "
    "alone. Then its best setting runs with the seeds below, and only these runs read the test "
    "split."
)


def tuning(draft: Draft) -> None:
    """Draw the switch of the search and, where it is on, all its settings."""
    with st.container(border=True):
        st.header("Tuning", anchor=False)
        draft.values[ON] = st.toggle(
            "Tune every arm with the same budget",
            key=draft.bind(ON, "Tuning", False),
            on_change=draft.changed,
            args=(ON,),
        )
        show_problems(draft, ON)
        st.caption(_WHAT)
        if not draft.values[ON]:
            return
        _settings(draft)
        for index in range(arm_count(draft.values)):
            _space(draft, index)


def _settings(draft: Draft) -> None:
    """Draw the settings that all arms share."""
    cells: list[Cell | None] = [*grid_cells(draft, draft.form.tuning, ON), None]
    for start in range(0, len(cells), _COLUMNS):
        columns = st.columns(_COLUMNS, vertical_alignment="bottom")
        for column, cell in zip(columns, cells[start : start + _COLUMNS], strict=False):
            with column:
                _setting(draft, cell)


def _setting(draft: Draft, cell: Cell | None) -> None:
    """Draw one of the settings; None stands for the seeds of the trials."""
    if cell is None:
        _trial_seeds(draft)
    elif isinstance(cell.item, Field) and cell.item.name == "objective":
        _objective(draft, cell.item, cell.path)
    elif isinstance(cell.item, Field):
        setting_field(draft, cell.item, cell.path)


def _objective(draft: Draft, item: Field, path: str) -> None:
    labels = draft.form.objective_labels
    draft.values[path] = st.selectbox(
        item.title,
        objectives_offered(draft, item.options),
        format_func=lambda one: labels.get(one, one),
        key=draft.bind(path, item.title, item.initial),
        help=item.help,
        on_change=draft.changed,
        args=(path,),
    )
    show_problems(draft, path)


def _trial_seeds(draft: Draft) -> None:
    text_field(
        draft,
        TRIAL_SEEDS,
        "Seeds of the trials",
        note="A trial's value is the mean over them. None of them may be a seed of the final runs.",
    )
    try:
        parse_seeds(draft.values[TRIAL_SEEDS])
    except SeedsError as error:
        if not draft.problems_at(TRIAL_SEEDS):  # a refused start has already shown it there
            show_problem(TRIAL_SEEDS, str(error))


def _space(draft: Draft, index: int) -> None:
    """Draw the space of an arm: a row for each setting, and what adds one."""
    values, arm = draft.values, f"arms.{index}"
    settings = settings_of(draft.form, values, index)
    own = values.get(search_path(index))
    if own is None:
        rows = list(ready_settings(draft.form, values, index))
        _fill(draft, index, rows)
    else:
        found = (named(settings, values, arm, path) for path in own)
        rows = [one for one in found if one is not None]
    name = escape_markdown(str(values.get(f"{arm}.name") or f"arm {index + 1}"))
    color = arm_style(index).color(viewer_theme())
    with st.container(border=True, key=f"new_space_{index}"):
        st.html(f"<style>{_style(f'.st-key-new_space_{index}', color)}</style>")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**Space of {name}**", width="stretch")
            if own is not None:
                st.button(
                    "Ready-made space",
                    icon=":material/undo:",
                    type="tertiary",
                    key=f"new_space_reset_{index}",
                    on_click=draft.rework,
                    args=(lambda all_values: without_search(all_values, index),),
                )
        draft.shown[search_path(index)] = "Space"
        show_problems(draft, search_path(index))
        for setting in rows:
            _row(draft, index, setting, rows)
        _add(draft, index, rows)


def _style(frame: str, color: str) -> str:
    """Return the style of an arm's space: its colour, and on narrow pages numbers in full, without
    the buttons that change them by steps."""
    steps = ", ".join(f"{frame} [data-testid=stNumberInputStep{way}]" for way in ("Down", "Up"))
    return (
        f"{frame} {{ border-left: 4px solid {color} }} "
        f"@media (max-width: 1050px) {{ {steps} {{ display: none }} }}"
    )


def _fill(draft: Draft, index: int, rows: Sequence[SearchSetting]) -> None:
    """Set the fields of the ready-made space, which has changed with the arm."""
    for setting in rows:
        for part, value in (space_values(setting.space, setting) or {}).items():
            at = field_path(index, setting.path, part)
            if draft.values.get(at) != value:
                draft.choose(at, value)


def _row(draft: Draft, index: int, setting: SearchSetting, rows: Sequence[SearchSetting]) -> None:
    at = field_path(index, setting.path)
    paths = [one.path for one in rows]

    def changed(path: str) -> None:
        if draft.values.get(search_path(index)) is None:  # else a button may just have changed it
            draft.values[search_path(index)] = paths
        draft.changed(path)
        draft.changed(at)  # problems of the whole space

    draft.shown[at] = setting.title
    few = bool(setting.choices) or draft.values.get(f"{at}.scale") == "choices"
    columns = st.columns(_WIDTHS_OF_CHOICES if few else _WIDTHS, vertical_alignment="center")
    columns[0].markdown(f"{setting.title} :small[:gray[{setting.path}]]", help=setting.help or None)
    if setting.choices:
        columns[1].caption("choices")
        with columns[2]:
            _named_choices(draft, at, setting, changed)
    else:
        _numbers(draft, at, setting, changed, columns[1:-1])
    columns[-1].button(
        "Remove",
        icon=":material/close:",
        type="tertiary",
        key=f"new_space_remove_{index}_{setting.path}",
        disabled=len(rows) == 1,
        help="An arm is searched over one setting at least." if len(rows) == 1 else None,
        on_click=_set_paths,
        args=(draft, index, [path for path in paths if path != setting.path]),
    )
    show_problems(draft, at)


def _named_choices(
    draft: Draft, at: str, setting: SearchSetting, changed: Callable[[str], None]
) -> None:
    path = f"{at}.choices"
    key = draft.bind(path, f"{setting.title}, choices", list(setting.choices))
    draft.values[path] = st.multiselect(
        f"{setting.title}, choices",
        setting.choices,
        format_func=lambda one: one.replace("_", " "),
        key=key,
        label_visibility="collapsed",
        on_change=changed,
        args=(path,),
    )
    show_problems(draft, path)


def _numbers(
    draft: Draft,
    at: str,
    setting: SearchSetting,
    changed: Callable[[str], None],
    columns: Sequence[Any],
) -> None:
    """Draw the fields of the space of a number: its scale, and two ends or a list."""
    path = f"{at}.scale"
    with columns[0]:
        scale = draft.values[path] = st.selectbox(
            f"{setting.title}, scale",
            SCALES,
            format_func=_SCALE_TITLES.__getitem__,
            key=draft.bind(path, f"{setting.title}, scale", SCALES[0]),
            label_visibility="collapsed",
            on_change=changed,
            args=(path,),
        )
    if scale == "choices":
        with columns[1]:
            _number_choices(draft, f"{at}.choices", setting, changed)
        return
    for part, column in zip(("low", "high"), columns[1:], strict=True):
        with column:
            _end(draft, f"{at}.{part}", setting, part, changed)


def _number_choices(
    draft: Draft, path: str, setting: SearchSetting, changed: Callable[[str], None]
) -> None:
    title = f"{setting.title}, choices"
    typed = st.text_input(
        title,
        key=draft.bind(path, title, ""),
        placeholder="2, 4, 8",
        label_visibility="collapsed",
        on_change=changed,
        args=(path,),
    )
    draft.values[path] = typed or ""
    show_problems(draft, path)


def _end(
    draft: Draft, path: str, setting: SearchSetting, part: str, changed: Callable[[str], None]
) -> None:
    title = f"{setting.title}, {part}"
    ready = (setting.space or {}).get(part) or 0.1
    whole = setting.type == "integer"
    draft.values[path] = st.number_input(
        title,
        value=None,
        step=1.0 if whole else float(f"{ready / 10:.0e}"),
        format="%g",
        placeholder=part,
        key=draft.bind(path, title),
        label_visibility="collapsed",
        on_change=changed,
        args=(path,),
    )
    show_problems(draft, path)


def _add(draft: Draft, index: int, rows: Sequence[SearchSetting]) -> None:
    """Draw the field that adds a setting to the space."""
    values, arm = draft.values, f"arms.{index}"
    searched = [one.path for one in rows]
    free = {
        one.path: one
        for one in fitting_settings(draft.form, values, index)
        if one.path not in searched
    }
    if not free:
        return
    key = f"new_space_add_{index}"

    def added() -> None:
        path = st.session_state.get(key)
        if path in free:
            space = first_space(free[path], chosen_value(values, arm, path))
            for part, value in (space_values(space, free[path]) or {}).items():
                draft.choose(field_path(index, path, part), value)
            _set_paths(draft, index, [*searched, path])
        st.session_state[key] = None

    st.selectbox(
        "Add a setting",
        list(free),
        index=None,
        format_func=setting_labels({path: one.title for path, one in free.items()}).__getitem__,
        placeholder="Add a setting to search",
        label_visibility="collapsed",
        key=key,
        width=340,
        on_change=added,
    )


def _set_paths(draft: Draft, index: int, paths: list[str]) -> None:
    """Take over what an arm searches, in a callback, keeping what was typed just before."""
    for path in draft.values:
        draft.values[path] = st.session_state.get(KEY_PREFIX + path, draft.values[path])
    draft.values[search_path(index)] = paths
    at = f"{search_path(index)}."
    draft.problems = [found for found in draft.problems if not found.path.startswith(at)]
