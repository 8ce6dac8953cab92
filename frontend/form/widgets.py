"""The form's fields as Streamlit widgets, each with its problems below, and the encoder's card."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

import streamlit as st

from frontend.form.draft import KEY_PREFIX, Draft
from frontend.form.schema_fields import Choice, Field, Items, Option
from frontend.form.to_spec import SHARED_SETTINGS, arm_count
from frontend.ui.widgets import viewer_theme

_PROBLEM_COLORS = {"light": "#c62828", "dark": "#ff8a80"}


class Cell(NamedTuple):
    """One field in a grid."""

    item: Field | Choice
    path: str
    """Path of the field, without the `.kind` of a choice."""


def text_field(draft: Draft, path: str, title: str, *, hint: str = "", note: str = "") -> None:
    """Draw a field for one line of text."""
    key = draft.bind(path, title, "")
    typed = st.text_input(
        title, key=key, placeholder=hint, help=note or None, on_change=draft.changed, args=(path,)
    )
    draft.values[path] = typed or ""
    show_problems(draft, path)


def settings_grid(draft: Draft, cells: Sequence[Cell], columns: int = 2) -> None:
    """Draw settings in columns; a choice of kinds starts a row, and its settings follow."""
    row: list[Cell] = []
    rows = [row]
    for cell in cells:
        if len(row) == columns or isinstance(cell.item, Choice):
            row = []
            rows.append(row)
        row.append(cell)
    for row in filter(None, rows):
        flag = any(isinstance(cell.item, Field) and cell.item.type == "boolean" for cell in row)
        places = st.columns(columns, vertical_alignment="bottom" if flag else "top")
        for place, cell in zip(places, row, strict=False):
            with place:
                if isinstance(cell.item, Choice):
                    kind_field(draft, cell.item, cell.path)
                else:
                    setting_field(draft, cell.item, cell.path)


def grid_cells(draft: Draft, items: Items, path: str) -> list[Cell]:
    """Return the fields of a section: its settings, and those of the kinds chosen in it."""
    found: list[Cell] = []
    for item in items:
        at = f"{path}.{item.name}"
        if isinstance(item, Choice):
            option = item.option(draft.values.get(f"{at}.kind"))
            found += [Cell(item, at)] if len(item.options) > 1 else []
            found += grid_cells(draft, option.items, at)
        elif item.asked and _has_effect(draft, item, path):
            found.append(Cell(item, at))
    return found


def _has_effect(draft: Draft, field: Field, path: str) -> bool:
    """Return whether a field of a section has an effect beside what is chosen now."""
    values = draft.values
    if any(values.get(f"{path}.{name}") != value for name, value in field.shown_where):
        return False
    kinds = {values.get(f"arms.{index}.loss.kind") for index in range(arm_count(values))}
    return not field.shown_with_losses or bool(kinds.intersection(field.shown_with_losses))


def kind_field(
    draft: Draft,
    choice: Choice,
    path: str,
    *,
    label: str = "",
    changed: Callable[[str], None] | None = None,
) -> Option:
    """Draw the field for a section's kind. Returns the chosen option.

    Args:
        draft: the draft.
        choice: the kinds.
        path: path of the section.
        label: label of the field; by default the section's title.
        changed: called with the field's path when another kind is chosen.
    """
    at = f"{path}.kind"
    labels = {option.kind: option.label for option in choice.options}
    if len(labels) > 1:
        key = draft.bind(at, choice.title, choice.options[0].kind)
        draft.values[at] = st.selectbox(
            label or choice.title,
            list(labels),
            format_func=lambda one: labels[one],
            key=key,
            on_change=changed or draft.changed,
            args=(at,),
        )
        show_problems(draft, at)
    return choice.option(draft.values.get(at))


def setting_field(draft: Draft, field: Field, path: str) -> None:
    """Draw the field for one setting, by its type."""
    key = draft.bind(path, field.title, field.initial)
    common: dict[str, Any] = {
        "label": field.title,
        "key": key,
        "help": field.help or None,
        "on_change": draft.changed,
        "args": (path,),
    }
    if field.type == "boolean":
        draft.values[path] = st.toggle(**common)
    elif field.type == "choice":
        draft.values[path] = st.selectbox(
            options=field.options, format_func=lambda one: str(one).replace("_", " "), **common
        )
    elif field.type == "text":
        draft.values[path] = st.text_input(**common)
    else:
        cast = int if field.type == "integer" else float
        empty: dict[str, Any] = {"value": None} if field.optional else {}
        draft.values[path] = st.number_input(
            min_value=None if field.minimum is None else cast(field.minimum),
            max_value=None if field.maximum is None else cast(field.maximum),
            step=field.step,
            format="%d" if cast is int else "%g",
            **empty,
            **common,
        )
    show_problems(draft, path)


def setting_labels(titles: Mapping[str, str]) -> dict[str, str]:
    """Return what a list of settings calls each: its title, and the section of its path where
    settings of several sections have one title.

    Args:
        titles: by path, such as `loss.margin`.
    """
    often = Counter(titles.values())
    return {
        path: title if often[title] == 1 else f"{title} ({path.partition('.')[0]})"
        for path, title in titles.items()
    }


def option_caption(option: Option) -> None:
    """Draw what a kind is, and its source."""
    source = f" [{option.paper}]({option.url})" if option.url else f" {option.paper}"
    if option.idea or option.paper:
        st.caption(f"{option.idea} {option.note}{source}".strip())


def problem_color() -> str:
    """Return the colour of problems in the viewer's theme."""
    return _PROBLEM_COLORS[viewer_theme()]


def show_problems(draft: Draft, path: str) -> None:
    """Draw a field's problems in red below it."""
    for message in draft.problems_at(path):
        show_problem(path, message)


def show_problem(path: str, message: str) -> None:
    """Draw one problem below a field, and colour the field's frame."""
    frame = f".st-key-{(KEY_PREFIX + path).replace('.', '-')}"
    parts = ("stTextInputRootElement", "stTextAreaRootElement", "stNumberInputContainer")
    frames = ", ".join(
        [f"{frame} [data-baseweb]", *(f"{frame} [data-testid={part}]" for part in parts)]
    )
    st.html(
        f"<style>{frames} {{ border-color: {problem_color()} !important }}</style>"
        "<p role='alert' "
        f"style='margin: -0.5rem 0 0; color: {problem_color()}; font-size: 0.87rem'>"
        f"{escape(message)}</p>"
    )


OWN_WEIGHTS: Final = "file"
"""Value of `weights` for weights from the team's own file."""
HIDDEN: Final = "hidden"
"""Setting of an encoder: units of its hidden layers, or of its head's, where 0 stands for none."""
LAYERS: Final = "layers"
"""Setting of a network that is all hidden layers: their number."""


def encoder_card(draft: Draft, choice: Choice, data: Option, items: str, title: str) -> None:
    """Draw the fields for an encoder that can embed items of this type."""
    path = choice.name
    at = f"{path}.kind"
    st.header(title, anchor=False)
    fitting = choice.taking(items)
    before = draft.values.get(at)
    if before not in [option.kind for option in fitting.options]:  # the data have just changed
        fit_head(draft, choice, choice.default_encoder(data, items).kind)
        draft.choose(at, choice.default_encoder(data, items).kind)

    def changed(_: str) -> None:
        fit_head(draft, choice, st.session_state[KEY_PREFIX + at])
        draft.changed(at)

    option = kind_field(draft, fitting, path, label="Kind", changed=changed)
    if len(fitting.options) == 1:
        st.markdown(f"{option.label}, the one that takes {items}")
    option_caption(option)
    asked = grid_cells(draft, option.items, path)
    if choice is draft.form.visual_encoder:
        asked = [cell for cell in asked if cell.item.name not in SHARED_SETTINGS]
        st.caption("Embedding size and L2-normalisation are the first encoder's: one space.")
    if draft.values.get(f"{path}.weights") != OWN_WEIGHTS:
        asked = [cell for cell in asked if cell.item.name != "weights_file"]
    if (
        any(cell.item.name == LAYERS for cell in asked)
        and draft.values.get(f"{path}.{LAYERS}") == 0
    ):
        asked = [cell for cell in asked if cell.item.name != HIDDEN]  # there is none to be wide
    settings_grid(draft, asked)


def fit_head(draft: Draft, choice: Choice, kind: str) -> None:
    """Set the hidden layers of an encoder whose kind changes, as two kinds mean different things by
    its hidden units: where a backbone's head becomes a network of its own, the network is the head
    (a linear map, if the head is linear); a backbone begins with its default head.

    Args:
        draft: the draft, with the kind from before.
        choice: the kinds of encoders.
        kind: the new one.
    """
    path = choice.name
    before = {item.name for item in choice.option(draft.values.get(f"{path}.kind")).items}
    items = {item.name: item for item in choice.option(kind).items if isinstance(item, Field)}
    hidden = items.get(HIDDEN)
    if hidden is None or HIDDEN not in before or (LAYERS in before) == (LAYERS in items):
        return
    units = draft.values.get(f"{path}.{HIDDEN}")
    if LAYERS in items:
        draft.choose(f"{path}.{LAYERS}", 1 if units else 0)
    draft.choose(f"{path}.{HIDDEN}", units if units and LAYERS in items else hidden.initial)
