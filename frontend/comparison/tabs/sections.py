"""The choice of a tab, and the contents of all tabs except leaderboard, verdict and set-up.

The tabs Live, Geometry and Retrieval show their part of the results below the live panels. The tab
Embedding space shows the linked panels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

import streamlit as st

from frontend.charts import chart
from frontend.comparison.results_table import Section, result_sections
from frontend.comparison.tables_html import results_table
from frontend.comparison.tabs.confusion import show_confusion
from frontend.comparison.tabs.dimensions import show_dimensions
from frontend.comparison.tabs.snapshot_charts import class_bars, class_values, distance_histograms
from frontend.comparison.tabs.view import (
    AFTER_SEARCH,
    SCORED,
    View,
    choose_epoch,
    choose_seed,
    class_name,
    show_no_snapshot,
    snapshot_epochs,
)
from frontend.comparison.tabs.worst_queries import worst_queries_table, worst_tuples_table
from frontend.live.component import Tab
from frontend.space.component import mount_space
from frontend.ui.replicates import over_text
from frontend.ui.widgets import came_by_history, viewer_theme

TITLES: Final[dict[Tab, str]] = {
    "live": "Live",
    "geometry": "Geometry",
    "retrieval": "Retrieval & classification",
    "space": "Embedding space",
    "tuning": "Tuning",
    "leaderboard": "Leaderboard",
    "verdict": "Verdict",
    "model": "Model",
    "setup": "Set-up & logs",
}
"""Tabs in the page's order; addresses contain the names."""

LIVE_TABS: Final[tuple[Tab, ...]] = ("live", "geometry", "retrieval")
"""Tabs with live curves."""
TAB_KEY: Final = "comparison_tab"
FIRST_TAB: Final[Tab] = "live"
"""The tab of an address that names none."""
_COMPARISON_KEY: Final = "comparison_shown"
_TURNED_KEY: Final = "comparison_turned"


def choose_tab(comparison_id: str, *, tuned: bool = False) -> Tab:
    """Draw the row of tabs. Returns the chosen one.

    The tab Tuning is there for comparisons that are tuned.

    The browser writes it into the address, a step of its history each time, next to what the live
    view and the embedding space keep there: Streamlit would write the address as it knows it,
    without theirs.
    """
    asked = st.query_params.get("tab", FIRST_TAB)
    titles = {name: title for name, title in TITLES.items() if tuned or name != "tuning"}
    known: dict[str, Tab] = {name: name for name in titles}
    new = st.session_state.get(_COMPARISON_KEY) != comparison_id
    if new or came_by_history():  # then the address decides
        st.session_state[_COMPARISON_KEY] = comparison_id
        st.session_state[TAB_KEY] = TITLES[known.get(asked, FIRST_TAB)]
    st.tabs(list(titles.values()), key=TAB_KEY, on_change=_count_turn)
    title = st.session_state.get(TAB_KEY)
    return next((name for name, shown in titles.items() if shown == title), FIRST_TAB)


def turned() -> int:
    """Return how often the viewer has turned to another tab in this session."""
    return int(st.session_state.get(_TURNED_KEY, 0))


def _count_turn() -> None:
    st.session_state[_TURNED_KEY] = turned() + 1


RUN: Final = "run"
"""Query parameter of the address that names the run of a trial whose curves are shown."""


def show_live_of_run(run: str) -> None:
    """Turn to the tab Live, with the curves of one run of a trial."""
    st.query_params.update({RUN: run, "tab": "live"})
    st.session_state.pop(_COMPARISON_KEY, None)  # so that the address decides which tab it is
    st.rerun()


def leave_run() -> None:
    """Turn back from the curves of one run to the tab Tuning."""
    st.query_params.pop(RUN, None)
    st.query_params["tab"] = "tuning"
    st.session_state.pop(_COMPARISON_KEY, None)
    st.rerun()


RESULTS_LEGEND: Final = (
    "Mean ± standard deviation over {over}, with the mean's 95 % interval below. ● best: its "
    "interval overlaps no other arm's. ○ best mean, intervals overlap. The Leaderboard tests which "
    "arms differ, from the differences seed by seed."
)


def tab_of(key: str) -> Tab:
    """Return the tab that shows a metric's results."""
    if "geometry." in key:
        return "geometry"
    return "live" if key.startswith("dynamics.") else "retrieval"


def sections_of_tab(found: Sequence[Section], tab: Tab) -> list[Section]:
    """Return the sections with only the lines of a tab; sections without a line are left out."""
    kept = [
        replace(
            section,
            lines=tuple(line for line in section.lines if tab_of(line.key) == tab),
            folded={key: said for key, said in section.folded.items() if tab_of(key) == tab},
        )
        for section in found
    ]
    return [section for section in kept if section.lines]


def show_results(view: View, tab: Tab) -> bool:
    """Draw the tab's results. Returns whether there were any."""
    arms = view.arms
    # The baseline is the last arm: of two arms, the first minus the second is shown, as in the
    # verdict.
    summary = view.client.summary(view.id, baseline=arms[-1])
    whole_run = [row["key"] for row in view.catalogue["metrics"] if row["summary_only"]]
    found = sections_of_tab(
        result_sections(summary, arms, whole_run, view.comparison["replicate_noun"]), tab
    )
    if not found:
        return False
    st.header("Results", anchor="results")
    st.caption(
        f"{summary['runs_finished']} of {summary['runs_total']} runs finished. "
        + RESULTS_LEGEND.format(over=over_text(view.comparison["replicate_noun"])),
    )
    first, *others = found
    st.markdown(f"**{first.title}**")
    st.html(results_table(view.styles, first, viewer_theme()))
    for section in others:
        with st.expander(section.title):
            st.html(results_table(view.styles, section, viewer_theme()))
    return True


class Chosen(NamedTuple):
    """The snapshot that the viewer has chosen."""

    seed: int
    epoch: int
    samples: Mapping[str, Any]
    arms: Sequence[Mapping[str, Any]]
    """Facts of each arm that has it."""


def show_by_class(
    view: View, tab: Tab, field: str, *, name: str, meaning: str, method: str
) -> Chosen | None:
    """Let the viewer choose a snapshot, and draw a value of every class in it.

    Args:
        view: the comparison.
        tab: the tab in which it is drawn.
        field: the field of the class facts, variance or accuracy.
        name: name of the chart.
        meaning: what the bars show, as the beginning of a sentence.
        method: section of the Method page that defines it.

    Returns:
        The chosen snapshot; None if there is none, which the page then says.
    """
    st.header("By class", anchor="classes")
    space = view.client.space(view.id)
    samples = space["samples"]
    if samples is None:
        show_no_snapshot(view)
        return None
    with st.container(horizontal=True, gap="medium"):
        seed = choose_seed(view, space, key=f"{tab}_seed")
        epoch = choose_epoch(view, snapshot_epochs(space, seed), key=f"{tab}_epoch")
    if not space["shared"]:  # each seed has a split of its own
        samples = view.client.space(view.id, seed=seed)["samples"] or samples
    facts = view.client.space_facts(view.id, seed=seed, epoch=epoch)
    chart.show_chart(
        class_bars(
            class_values(facts["arms"], field),
            view.styles,
            lambda label: class_name(samples, label),
            y=field,
        ),
        key=f"{field}-{view.id}",
        name=name,
        caption=f"{meaning}; {samples['n']:,} of {samples['total']:,} validation samples, seed "
        f"{seed}, epoch {epoch}.",
        method=method,
        comparison=view.name,
    )
    return Chosen(seed, epoch, samples, facts["arms"])


def show_live(view: View) -> None:
    """Draw the results of training."""
    if view.is_searching:
        st.info(AFTER_SEARCH, icon=":material/tune:")
        return
    if not show_results(view, "live") and not view.is_open:
        st.caption("No run of this comparison reached its first step: there are no measurements.")


def show_geometry(view: View) -> None:
    """Draw the results, the variance by class and the distances of pairs."""
    show_results(view, "geometry")
    if not view.has_classes:
        return
    chosen = show_by_class(
        view,
        "geometry",
        "variance",
        name="Intra-class variance by class",
        meaning="Mean squared distance to the class's centroid, of the embeddings as they are",
        method="embedding-space",
    )
    if chosen is None:
        return
    seed = chosen.seed
    by_epoch = view.client.distances(view.id, seed=seed)["arms"]
    if by_epoch and set.intersection(*(set(arm["epochs"]) for arm in by_epoch)):
        chart.show_chart(
            distance_histograms(by_epoch),
            key=f"distances-{view.id}",
            name="Distances of positive and negative pairs",
            caption="Density of Euclidean distances between embeddings as they are, within one "
            f"class and between two; the same validation samples in every arm, seed {seed}.",
            method="geometry",
            comparison=view.name,
        )


def show_retrieval(view: View) -> None:
    """Draw the results, smaller embeddings, the accuracy by class, the worst queries of texts, and
    which classes are confused."""
    if show_results(view, "retrieval"):
        show_dimensions(view, view.client.summary(view.id, baseline=view.arms[-1]))
    if not view.has_classes:
        _show_worst_tuples(view)
        return
    chosen = show_by_class(
        view,
        "retrieval",
        "accuracy",
        name="Accuracy by class",
        meaning="Share of samples whose nearest other sample has their class (leave one out, "
        "Euclidean)",
        method="embedding-space",
    )
    if chosen is not None:
        if chosen.samples.get("texts"):
            st.subheader("Worst queries", anchor="worst-queries")
            st.html(worst_queries_table(chosen.arms, chosen.samples))
        st.caption(
            "The nearest neighbours of each sample, and the worst queries, are under Embedding "
            "space."
        )
    show_confusion(view)


def _show_worst_tuples(view: View) -> None:
    """Draw the texts that retrieve their positives worst in one snapshot; none of scored pairs,
    which have no positives."""
    if view.shape == SCORED:
        return
    space = view.client.space(view.id)
    samples = space["samples"]
    if samples is None or not samples.get("texts"):
        return
    st.header("Worst queries", anchor="worst-queries")
    with st.container(horizontal=True, gap="medium"):
        seed = choose_seed(view, space, key="retrieval_seed")
        epoch = choose_epoch(view, snapshot_epochs(space, seed), key="retrieval_epoch")
    if not space["shared"]:  # each seed has a split of its own
        samples = view.client.space(view.id, seed=seed)["samples"] or samples
    facts = view.client.space_facts(view.id, seed=seed, epoch=epoch)
    st.html(worst_tuples_table(facts["arms"], samples))
    st.caption("Among the snapshot's samples of the validation split, by Euclidean distance.")


def show_space(view: View) -> None:
    """Draw the linked panels, which update themselves in the browser."""
    mount_space(view.id, view.arms, is_open=view.is_open, name=view.name)
