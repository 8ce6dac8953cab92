"""Fields as Streamlit widgets, each with its problems below it.

Which networks go with which items, and the cards that ask for one.
"""

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Final, NamedTuple

import streamlit as st

from frontend.form.draft import PREFIX, Draft
from frontend.form.schema_fields import Choice, Field, Items, Option
from frontend.form.to_spec import SHARED
from frontend.ui.widgets import viewer_theme

_RED = {"light": "#c62828", "dark": "#ff8a80"}


class Cell(NamedTuple):
    """One place of a grid."""

    item: Field | Choice
    path: str
    """Its own, without the `.kind` of a choice."""


def text(draft: Draft, path: str, title: str, *, hint: str = "", note: str = "") -> None:
    """A line of text."""
    key = draft.bind(path, title, "")
    typed = st.text_input(
        title, key=key, placeholder=hint, help=note or None, on_change=draft.changed, args=(path,)
    )
    draft.values[path] = typed or ""
    complaints(draft, path)


def grid(draft: Draft, cells: Sequence[Cell], columns: int = 2) -> None:
    """Settings in columns; a choice of kinds starts a row, its settings follow it."""
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
                    kind(draft, cell.item, cell.path)
                else:
                    setting(draft, cell.item, cell.path)


def cells(draft: Draft, items: Items, path: str) -> list[Cell]:
    """What a section asks now: its settings, and those of the kinds chosen inside it."""
    found: list[Cell] = []
    for item in items:
        at = f"{path}.{item.name}"
        if isinstance(item, Choice):
            option = item.option(draft.values.get(f"{at}.kind"))
            found += [Cell(item, at)] if len(item.options) > 1 else []
            found += cells(draft, option.items, at)
        elif item.asked:
            found.append(Cell(item, at))
    return found


def kind(
    draft: Draft,
    choice: Choice,
    path: str,
    *,
    label: str = "",
    changed: Callable[[str], None] | None = None,
) -> Option:
    """Which kind of a section; the chosen one. `changed` takes the path when another is chosen."""
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
        complaints(draft, at)
    return choice.option(draft.values.get(at))


def setting(draft: Draft, field: Field, path: str) -> None:
    """One setting, by its type."""
    key = draft.bind(path, field.title, field.default)
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
        draft.values[path] = st.number_input(
            min_value=None if field.minimum is None else cast(field.minimum),
            max_value=None if field.maximum is None else cast(field.maximum),
            step=field.step,
            format="%d" if cast is int else "%g",
            **common,
        )
    complaints(draft, path)


def about(option: Option) -> None:
    """What a kind is, and where it comes from."""
    source = f" [{option.paper}]({option.url})" if option.url else f" {option.paper}"
    if option.idea or option.paper:
        st.caption(f"{option.idea} {option.note}{source}".strip())


def red() -> str:
    """The colour of problems on the viewer's theme."""
    return _RED[viewer_theme()]


def complaints(draft: Draft, path: str) -> None:
    """A field's problems, in red below it."""
    for message in draft.problems_at(path):
        complain(path, message)


def complain(path: str, message: str) -> None:
    """One problem below a field, whose frame it colours."""
    frame = f".st-key-{(PREFIX + path).replace('.', '-')}"
    parts = ("stTextInputRootElement", "stTextAreaRootElement", "stNumberInputContainer")
    frames = ", ".join(
        [f"{frame} [data-baseweb]", *(f"{frame} [data-testid={part}]" for part in parts)]
    )
    st.html(
        f"<style>{frames} {{ border-color: {red()} !important }}</style>"
        f"<p role='alert' style='margin: -0.5rem 0 0; color: {red()}; font-size: 0.87rem'>"
        f"{escape(message)}</p>"
    )


WEIGHTS_FILE: Final = "file"
"""What `weights` is where they come from a file of one's own."""


def encoder_card(draft: Draft, choice: Choice, data: Option, items: str, title: str) -> None:
    """Ask for one network, of those that can embed such items."""
    path = choice.name
    st.subheader(title, anchor=False)
    fitting = choice.taking(items)
    if draft.values.get(f"{path}.kind") not in [option.kind for option in fitting.options]:
        draft.choose(f"{path}.kind", choice.natural(data, items).kind)  # the data have just changed
    option = kind(draft, fitting, path, label="Kind")
    if len(fitting.options) == 1:
        st.markdown(f"{option.label}, the one that takes {items}")
    about(option)
    asked = cells(draft, option.items, path)
    if choice is draft.form.visual_encoder:
        asked = [cell for cell in asked if cell.item.name not in SHARED]
        st.caption("Embedding size and L2-normalisation are the first encoder's: one space.")
    if draft.values.get(f"{path}.weights") != WEIGHTS_FILE:
        asked = [cell for cell in asked if cell.item.name != "weights_file"]
    grid(draft, asked)
