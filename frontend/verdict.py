"""The section with the verdict on a comparison's page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import streamlit as st

from frontend.api import Api
from frontend.api_types import ArmPair
from frontend.comparison_html import Theme
from frontend.theme import arm_styles
from frontend.verdict_html import card

Json = Mapping[str, Any]

KEYS: Final = ("a", "b")
"""Of the address's query."""


def verdict(client: Api, comparison: Json, theme: Theme, *, is_open: bool) -> None:
    """The claims, once a seed of both arms has succeeded or all is over."""
    arms = comparison["arms"]
    if len(arms) < 2:
        return
    asked = _asked(arms)
    found = client.verdict(comparison["id"], **asked)
    if is_open and not found["seeds"]:
        return
    st.subheader("Verdict", anchor="verdict")
    if len(arms) > 2 or found["arms"] is None:
        _choose(arms, found["arms"], asked)
    if found["arms"] is None:
        st.caption(found["summary"])
    else:
        st.html(card(found, arm_styles(arms), theme))


def _asked(arms: Sequence[str]) -> dict[str, str]:
    """The two arms that the address names; none unless it names two that there are."""
    named = {key: st.query_params.get(key, "") for key in KEYS}
    sound = set(named.values()) <= set(arms) and named["a"] != named["b"]
    return named if sound else {}


def _choose(arms: Sequence[str], judged: ArmPair | None, asked: Mapping[str, str]) -> None:
    """Pick which two arms are judged; kept in the address."""
    columns = st.columns([1, 1, 2], vertical_alignment="bottom")
    labels = {"a": "In the contrastive loss's place", "b": "In the triplet loss's place"}
    shown = {"a": judged["a"], "b": judged["b"]} if judged else asked
    picked = {}
    for key, column in zip(KEYS, columns, strict=False):
        arm = column.selectbox(
            labels[key],
            arms,
            index=arms.index(shown[key]) if shown else None,
            placeholder="Choose an arm",
            key=f"verdict_{key}",
        )
        if arm is not None:
            picked[key] = arm
    if len(picked) < len(KEYS) or picked == shown:  # the address says it already
        return
    if picked["a"] == picked["b"]:
        columns[2].caption("Pick two different arms.")
        return
    st.query_params.update(picked)
    st.rerun()
