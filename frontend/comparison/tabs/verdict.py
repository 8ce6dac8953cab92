"""Verdict: the nine claims, judged by two of the arms."""

from collections.abc import Mapping, Sequence
from typing import Final

import streamlit as st

from frontend.api.types import ArmPair
from frontend.comparison.tabs.view import View, theme
from frontend.comparison.verdict_html import by_seed, card

KEYS: Final = ("a", "b")
"""Of the address's query."""


def show_verdict(view: View) -> None:
    """What to do on top, then a card for each claim."""
    arms = view.arms
    if len(arms) < 2:
        st.info(
            "A verdict needs two arms, and this comparison has one. Duplicate it and add another "
            "loss.",
            icon=":material/balance:",
        )
        return
    asked = _asked(arms)
    found = view.client.verdict(view.id, **asked)
    if len(arms) > 2 or found["arms"] is None:
        _choose(arms, found["arms"], asked)
    if found["arms"] is None:
        st.info(found["summary"], icon=":material/balance:")
        return
    if view.is_open and not found["seeds"]:
        st.info(
            "The verdict comes once a seed of both arms has finished, and grows firmer with every "
            "further one.",
            icon=":material/hourglass_empty:",
        )
        return
    metrics = view.client.summary(view.id)["metrics"]
    differences = by_seed(metrics, found["arms"]["a"], found["arms"]["b"])
    st.html(card(found, view.styles, theme(), differences))


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
    st.query_params.update({**picked, "tab": "verdict"})
    st.rerun()
