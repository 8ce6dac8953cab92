"""The section of the tab Retrieval that shows which classes are confused, arm beside arm."""

from functools import partial
from typing import Final

import streamlit as st

from frontend.api.types import Confusion
from frontend.charts import chart
from frontend.comparison.tabs.confusion_figures import (
    FEW_CLASSES,
    arm_column,
    confusion_matrices,
    confusion_rows,
)
from frontend.comparison.tabs.view import View, read_or_say
from frontend.ui.number_table import number_table
from frontend.ui.numbers import format_number, format_signed
from frontend.ui.text import escape_markdown

METHOD: Final = "classification-retrieval-clustering"
ALL_SEEDS: Final = -1
"""The choice of the mean over all seeds."""
_ROUNDING: Final = 0.05
"""A smaller number of items is 0 as the table writes it; means over seeds are not exact."""
_ROW: Final = 35
_TALLEST: Final = 14
"""Rows of the table that are shown without scrolling."""


def show_confusion(view: View) -> None:
    """Draw the matrices of few classes and the table of the most confused pairs; or say why not."""
    st.subheader("Which classes get confused", anchor="confusion")
    found = read_or_say(
        "confusion of classes", lambda: view.client.confusion(view.id), key="confusion_again"
    )
    if found is None:
        return
    if not found["arms"]:
        _show_nothing(view, found)
        return
    seed = _choose_seed(view, found)
    if seed != ALL_SEEDS and (len(found["seeds"]) > 1 or not found["shared"]):
        found = view.client.confusion(view.id, seed=seed)
    if found["lacking"]:
        named = ", ".join(escape_markdown(arm) for arm in found["lacking"])
        st.caption(f"Not kept for runs of older versions: {named}.")
    _show(view, found, seed)


def _choose_seed(view: View, found: Confusion) -> int:
    """Let the viewer choose a replicate, or the mean over all where they share their test items."""
    seeds = list(found["seeds"])
    if len(seeds) == 1:
        return seeds[0]
    choices = [ALL_SEEDS, *seeds] if found["shared"] else seeds
    noun = view.comparison["replicate_noun"]
    chosen = st.selectbox(
        noun.capitalize(),
        choices,
        format_func=lambda seed: (
            f"mean of {len(seeds)} {noun}s" if seed == ALL_SEEDS else f"{noun} {seed}"
        ),
        key=f"confusion_seed_{view.id}",
        width=200,
    )
    return int(choices[0] if chosen is None else chosen)


def _show(view: View, found: Confusion, seed: int) -> None:
    noun = view.comparison["replicate_noun"]
    of = f"mean over {len(found['seeds'])} {noun}s" if seed == ALL_SEEDS else f"{noun} {seed}"
    if len(found["classes"]) <= FEW_CLASSES:
        chart.show_chart(
            confusion_matrices(found),
            key=f"confusion-{view.id}",
            name="Classes of nearest neighbours",
            caption="Share of a class's test items (row) whose nearest other test item is of "
            f"another class (column), {of}. One scale for all arms; the diagonal, the share that "
            "is right, is grey. Classes that are confused stand side by side.",
            method=METHOD,
            comparison=view.comparison["name"],
        )
    rows, number = confusion_rows(found), st.column_config.NumberColumn
    arms = [arm["arm"] for arm in found["arms"]]
    if not rows:
        st.caption("No test item has its nearest neighbour in another class, in any arm.")
        return
    two = len(arms) == 2
    items = partial(format_number, decimals=1)
    texts = dict.fromkeys(map(arm_column, arms), items)
    if len(arms) > 1:
        texts["Difference"] = partial(format_signed, decimals=1) if two else items
    st.dataframe(
        number_table(rows, texts),
        hide_index=True,
        width="stretch",
        height=38 + _ROW * min(_TALLEST, len(rows)),
        key=f"confusion_table_{view.id}",
        alt="The pairs of classes that are confused most, with items by arm",
        column_config={
            "Class": st.column_config.TextColumn(width=130),
            "Nearest neighbour in": st.column_config.TextColumn(width=150),
            "Items": number(width=70, help="Test items of the class"),
            **{arm_column(arm): number(help=f"Items confused so, {of}") for arm in arms},
            "Difference": number(
                help=f"{arms[0]} minus {arms[1]}" if two else "Most minus fewest",
            ),
        },
    )
    unnamed = max(arm["others"] for arm in found["arms"])
    listed = unnamed < _ROUNDING
    rest = (
        "" if listed else f" Up to {round(unnamed, 1):,g} items of an arm are in pairs not listed."
    )
    classes = len(found["classes"])
    st.caption(f"The most confused pairs of {classes:,} classes, as test items, {of}.{rest}")


def _show_nothing(view: View, found: Confusion) -> None:
    if view.is_open:
        st.caption("Comes with the first run that succeeds: it reads the test split.")
    elif found["lacking"]:
        st.caption(
            "Not kept for runs of older versions. Duplicate this comparison and start it again to "
            "have it."
        )
    else:
        st.caption("No run has succeeded, so the test split was not read.")
