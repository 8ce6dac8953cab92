"""A button that copies the address of exactly what one sees."""

from pathlib import Path
from typing import Final

import streamlit as st

HERE: Final = Path(__file__).parent

_component = st.components.v2.component(
    "lossboard_copy_link",
    js=(HERE / "copy_link.js").read_text(encoding="utf-8"),
    css=(HERE / "copy_link.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def copy_link(label: str = "Copy link") -> None:
    """Draw the button; one a page."""
    _component(key="copy_link", data={"label": label}, width="content")
