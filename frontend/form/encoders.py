"""Which networks go with which items, and the cards that ask for one."""

from typing import Final

import streamlit as st

from frontend.form.draft import Draft
from frontend.form.schema_fields import Choice, Option
from frontend.form.to_spec import SHARED
from frontend.form.widgets import about, cells, grid, kind

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
