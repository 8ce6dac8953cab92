"""Notices of the browser: the watcher that all pages have, and the button that turns it on.

What is chosen stays in the browser. Of all tabs one asks the API what happened.
"""

from pathlib import Path
from typing import Final

import streamlit as st

from frontend.ui.address import own_address

_FOLDER: Final = Path(__file__).parent

_component = st.components.v2.component(
    "lossboard_notices",
    js=(_FOLDER / "notices.js").read_text(encoding="utf-8"),
    css=(_FOLDER / "notices.css").read_text(encoding="utf-8"),
    isolate_styles=False,
)


def watch_alerts() -> None:
    """Show notices from this page on, if they were turned on in this browser."""
    with st.container(key="lb-notices", width="content"):
        _component(key="notices_watch", data={**_addresses(), "watch": True})


def notice_button(comparison: str = "", *, key: str) -> None:
    """Draw the button that turns notices on or off.

    Args:
        comparison: whose; empty for those of all comparisons.
        key: of the button.
    """
    _component(key=key, data={**_addresses(), "comparison": comparison}, width="stretch")


def _addresses() -> dict[str, str]:
    return {"base": own_address(""), "api": own_address("/api/v1/alerts")}
