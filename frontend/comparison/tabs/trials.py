"""The table of all trials of a search, and what can be done with a chosen one."""

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st

from frontend.api.types import Trial, TunedArm, Tuning
from frontend.comparison.tabs.sections import show_live_of_run
from frontend.comparison.tabs.view import View
from frontend.comparison.tuning.tables import trial_rows
from frontend.comparison.tuning.texts import params_text
from frontend.ui.text import escape_markdown

_ROW: Final = 35
_TALLEST: Final = 16
"""Rows that are shown without scrolling."""


def show_trials(view: View, found: Tuning, titles: Mapping[str, str], label: str) -> None:
    """Draw the table, and below it the links of the trial in the selected row.

    Args:
        view: the comparison.
        found: its search.
        titles: of the searched settings, by path.
        label: of the objective.
    """
    st.header("Trials", anchor="trials")
    rows = trial_rows(found, titles, label)
    listed = [(arm, trial) for arm in found["arms"] for trial in arm["trials"]]
    number = st.column_config.NumberColumn
    event = st.dataframe(
        rows,
        hide_index=True,
        width="stretch",
        height="content" if len(rows) <= _TALLEST else 38 + _ROW * _TALLEST,
        # A selection is the number of a row: of a longer list it would be another trial.
        key=f"tuning_trials_{len(rows)}",
        on_select="rerun",
        selection_mode="single-row",
        alt="All trials with their settings and values",
        placeholder="–",
        column_config={
            "Arm": st.column_config.TextColumn(width=160),
            "Trial": number(width=60),
            "": st.column_config.TextColumn(width=110),
            "State": st.column_config.TextColumn(width=110),
            label: number(format="%.4g", help="On validation data, mean over the trial's runs"),
            "Best epoch": number(width=90, help="Median over the trial's runs"),
            **{title: _setting_column(rows, title) for title in titles.values()},
        },
    )
    selected = event["selection"]["rows"]
    if not selected:
        st.caption("Select a row for its live curves, or to use its settings.")
        return
    _show_chosen(view, *listed[selected[0]], titles)


def _setting_column(rows: list[dict[str, Any]], title: str) -> Any:
    if any(isinstance(row[title], str) for row in rows):
        return st.column_config.TextColumn(width=120)
    return st.column_config.NumberColumn(width=120, format="%.3g")


def _show_chosen(view: View, arm: TunedArm, trial: Trial, titles: Mapping[str, str]) -> None:
    """Draw the links of one trial: the live curves of its runs, and a new comparison."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        name = escape_markdown(f"{arm['name']}, trial {trial['number']}")
        st.markdown(f"**{name}**: {escape_markdown(params_text(trial['params'], titles))}")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for run in trial["runs"]:
            fold = "" if run["fold"] is None else f", fold {run['fold'] + 1}"
            seed = (
                f", seed {run['seed']}" if len({one["seed"] for one in trial["runs"]}) > 1 else ""
            )
            if st.button(
                f"Live curves{seed}{fold}", icon=":material/show_chart:", key=f"live_{run['id']}"
            ):
                show_live_of_run(run["id"])
        st.page_link(
            "app_pages/new_comparison.py",
            label="Use as arm",
            icon=":material/content_copy:",
            help="Opens the form with these settings written into the arm; the other arms get "
            "their best ones.",
            query_params={"from": view.id, "arm": arm["name"], "trial": str(trial["number"])},
        )
