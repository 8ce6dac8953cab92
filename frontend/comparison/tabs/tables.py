"""The part of the results table that belongs to a tab."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from frontend.comparison.html import results_table
from frontend.comparison.results_table import Section, sections
from frontend.comparison.tabs.view import View, theme
from frontend.live.component import Tab

LEGEND = (
    "Mean ± standard deviation over seeds, with the mean's 95 % interval below. ● marks an arm "
    "whose interval meets no other arm's, ○ a best mean that is not told apart."
)


def tab_of(key: str) -> Tab:
    """Where a metric's results stand."""
    if "geometry." in key:
        return "geometry"
    return "live" if key.startswith("dynamics.") else "retrieval"


def of_tab(found: Sequence[Section], tab: Tab) -> list[Section]:
    """The lines of a tab, in their sections; those without a line are left out."""
    kept = [
        replace(section, lines=tuple(line for line in section.lines if tab_of(line.key) == tab))
        for section in found
    ]
    return [section for section in kept if section.lines]


def tables(view: View, tab: Tab) -> bool:
    """Draw the tab's results, as soon as there are any; whether there were."""
    arms = view.arms
    # Against the last one, so that of two arms the first minus the second is shown, as the verdict
    # has it.
    summary = view.client.summary(view.id, baseline=arms[-1])
    whole_run = [row["key"] for row in view.catalogue["metrics"] if row["summary_only"]]
    found = of_tab(sections(summary, arms, whole_run), tab)
    if not found:
        return False
    st.subheader("Results", anchor="results")
    st.caption(
        f"{summary['runs_finished']} of {summary['runs_total']} runs finished. {LEGEND}",
    )
    first, *others = found
    st.markdown(f"**{first.title}**")
    st.html(results_table(view.styles, first, theme()))
    for section in others:
        with st.expander(section.title):
            st.html(results_table(view.styles, section, theme()))
    return True
