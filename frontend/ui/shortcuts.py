"""Keyboard shortcuts of all pages, with the button that lists them."""

from pathlib import Path
from typing import Final

import streamlit as st

_FOLDER: Final = Path(__file__).parent
_PAGES: Final = {"new": "app_pages/new_comparison.py", "board": "app_pages/comparisons.py"}

_shortcuts = st.components.v2.component(
    "lossboard_shortcuts",
    js=(_FOLDER / "shortcuts.js").read_text(encoding="utf-8"),
    css=(_FOLDER / "shortcuts.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def shortcuts_button() -> None:
    """Draw the button and listen for the keys; turn to a page that a key asks for."""
    asked = _shortcuts(key="shortcuts", data={}, on_go_change=lambda: None, width="content")
    if page := _PAGES.get(str(asked.get("go"))):
        st.switch_page(page)
