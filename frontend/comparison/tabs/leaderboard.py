"""The tab Leaderboard: all arms ranked by one metric, and the advice which to use for what."""

from html import escape
from typing import Final

import streamlit as st

from frontend.api.types import Leaderboard, LeaderboardMetric
from frontend.charts import chart
from frontend.comparison.leaderboard.figure import caption, leaderboard_figure, note
from frontend.comparison.leaderboard.table import number_texts, rank_rows
from frontend.comparison.leaderboard.texts import main_metric, progress_text
from frontend.comparison.tabs.view import View, read_or_say
from frontend.comparison.tuning.texts import own_runs
from frontend.comparison.verdict.overview import STYLE_FILE
from frontend.ui.number_table import number_table
from frontend.ui.text import escape_markdown

METRIC: Final = "metric"
"""Query parameter of the address that names the metric."""
METHOD: Final = "more-than-two-losses"
_ROW: Final = 35
_TALLEST: Final = 22
"""Rows that the table shows without scrolling."""


def show_leaderboard(view: View) -> None:
    """Draw the advice, the choice of a metric, its figure and its table; or say why not."""
    st.html(STYLE_FILE)
    found = read_or_say(
        "leaderboard", lambda: view.client.leaderboard(view.id), key="leaderboard_again"
    )
    if found is None:
        return
    if found["advice"]:
        st.html(f"<p class='lb-advice'>{escape(found['advice'])}</p>")
    if not found["metrics"]:
        _show_nothing_measured(view)
        return
    if said := progress_text(found):
        icon = ":material/hourglass_empty:" if found["runs_open"] else ":material/info:"
        st.info(said, icon=icon)
    if len(view.arms) == 1:
        st.info(
            "A single arm has no rank. Duplicate this comparison and add another loss. Its values "
            "are shown below.",
            icon=":material/leaderboard:",
        )
    metric = _choose_metric(found)
    _show_metric(view, found, metric)


def _choose_metric(found: Leaderboard) -> LeaderboardMetric:
    """Let the viewer choose the metric, and keep it in the address."""
    labels = {metric["key"]: metric["label"].removesuffix(" (test)") for metric in found["metrics"]}
    asked = main_metric(list(labels), st.query_params.get(METRIC, ""))
    chosen = st.pills(
        "Metric of the test split",
        list(labels),
        default=asked,
        format_func=labels.__getitem__,
        required=True,
        key="leaderboard_metric",
    )
    key = chosen or asked
    if key != asked:
        st.query_params.update({METRIC: key, "tab": "leaderboard"})
    return next(metric for metric in found["metrics"] if metric["key"] == key)


def _show_metric(view: View, found: Leaderboard, metric: LeaderboardMetric) -> None:
    st.html(f"<p class='lb-sum'>{escape(metric['said'])}</p>")
    chart.show_chart(
        leaderboard_figure(metric, view.styles),
        key=f"leaderboard-{view.id}",
        name=f"Leaderboard, {metric['label']}",
        caption=caption(metric, found["replicate_noun"]),
        method=METHOD,
        comparison=view.name,
    )
    if said := note(metric, found["replicate_noun"]):
        st.caption(escape_markdown(said))
    rows = rank_rows(metric)
    number = st.column_config.NumberColumn
    st.dataframe(
        number_table(rows, number_texts(metric)),
        hide_index=True,
        width="stretch",
        height=38 + _ROW * min(_TALLEST, len(rows)),
        key=f"leaderboard_table_{metric['key']}",
        alt=f"Ranks of all arms by {metric['label']}",
        placeholder="–",
        column_config={
            "Rank": st.column_config.TextColumn(
                width=100,
                help="Possible ranks: arms without a clear difference share ranks; an arm that did "
                "not train has no rank, only its state",
            ),
            "Arm": st.column_config.TextColumn(width=200),
            "Mean": number(),
            "Low": number(help="Lower end of the interval for all arms at once"),
            "High": number(help="Upper end of the interval for all arms at once"),
            "sd": number(help="Standard deviation over runs"),
            "Runs": number(width=60, help="Runs that have succeeded"),
            "Difference to best": number(help="Mean difference to the best arm, paired"),
            "p": number(
                help="Of that difference, by Holm over all pairs of arms: the larger of the "
                "t-test's and the sign-flip p, the latter where so many runs can reach 0.05"
            ),
            "Clear difference": st.column_config.TextColumn(
                width=120, help="To the best arm; level: the difference is too small to matter"
            ),
            "Letters": st.column_config.TextColumn(
                width=80, help="Arms that share a letter are not clearly different"
            ),
        },
    )


def _show_nothing_measured(view: View) -> None:
    """Say why no arm can be ranked yet, and what to do."""
    if view.is_searching and view.is_open:
        st.info(
            "The leaderboard appears with the final runs, which follow the search; only they use "
            "the test split.",
            icon=":material/tune:",
        )
        return
    if view.is_open:
        st.info(
            "The leaderboard appears when the first runs finish: it uses the test split.",
            icon=":material/hourglass_empty:",
        )
        return
    runs = own_runs(view.comparison)
    lost = [f"{runs[state]} {state}" for state in ("failed", "cancelled") if runs[state]]
    why = f" Of {sum(runs.values())} runs {' and '.join(lost)}." if lost else ""
    st.info(
        f"No run has measured the test split, so there is nothing to rank.{why} Set-up & logs has "
        "the reasons; Retry above starts these runs again.",
        icon=":material/leaderboard:",
    )
