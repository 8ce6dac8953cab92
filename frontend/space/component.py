"""The linked embedding panels as a Streamlit component: its data, and how a page mounts it."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import streamlit as st

from frontend.ui.assets import LIVE_FOLDER as LIVE
from frontend.ui.assets import SAVE_STYLE, Assets
from frontend.ui.theme import arm_styles

_FOLDER: Final = Path(__file__).parent
_ASSETS: Final = Assets.load()
_component = st.components.v2.component(
    "lossboard_space",
    js=(LIVE / "js" / "loader.js").read_text(encoding="utf-8"),
    css="\n".join(
        path.read_text(encoding="utf-8")
        for path in (LIVE / "live.css", _FOLDER / "space.css", SAVE_STYLE)
    ),
    isolate_styles=False,
)


def mount_space(
    comparison_id: str, arms: Sequence[str], *, is_open: bool, name: str = "", key: str = "space"
) -> None:
    """Mount one panel per arm with the same held-out samples, and the view of a chosen sample.

    The browser fetches the data from the API itself, and keeps the view, the lasso and the chosen
    sample through reruns of the page as long as the key stays.

    Args:
        comparison_id: id of the comparison whose snapshots are shown.
        arms: all names in the spec's order, which decides the styles.
        is_open: whether runs are queued or running, so that the browser looks for new snapshots.
        name: the comparison's, for saved pictures.
        key: a constant, different from the keys of the page's other components.
    """
    _component(key=key, data=space_data(comparison_id, arms, is_open=is_open, name=name))


def space_data(
    comparison_id: str, arms: Sequence[str], *, is_open: bool, name: str = ""
) -> dict[str, Any]:
    """Return the component's data; equal arguments give equal data, so a rerun changes nothing."""
    return {
        "id": comparison_id,
        "name": name,
        "open": is_open,
        "main": _ASSETS.module_url("main.js", "space"),
        "arms": [{"name": name, **asdict(style)} for name, style in arm_styles(arms).items()],
    }
