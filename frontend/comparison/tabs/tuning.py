"""The tab Tuning: how the arms were searched, what a budget buys, what each setting does, and every
trial."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

import streamlit as st

from frontend.api.types import ComparisonDetail, Tuning
from frontend.charts import chart
from frontend.comparison.tabs.trials import show_trials
from frontend.comparison.tabs.view import View, read_or_say
from frontend.comparison.tuning import (
    budget_figure,
    importance_figure,
    moves,
    parallel_figure,
    sensitivity_figure,
    tables,
)
from frontend.comparison.tuning.texts import (
    budget_text,
    is_lower_better,
    objective_label,
    own_runs,
    setting_titles,
    trials_text,
)
from frontend.comparison.verdict.overview import STYLE_FILE
from frontend.errors import ApiError
from frontend.ui.session import role_button, role_refusal
from frontend.ui.text import escape_markdown
from frontend.ui.widgets import viewer_theme

METHOD: Final = "tuned-alike"
SUGGESTED_TRIALS: Final = 8
MOST_TRIALS: Final = 500
"""Trials that one press may add; the API's limit."""


@dataclass(frozen=True)
class Search:
    """A search with the words for it."""

    found: Tuning
    titles: Mapping[str, str]
    """Of the searched settings, by path."""
    label: str
    """Of the objective."""
    lower_better: bool


def show_tuning(view: View) -> None:
    """Draw the search of the comparison, or say why it cannot be shown."""
    st.html(STYLE_FILE)
    found = read_or_say("search", lambda: view.client.tuning(view.id), key="tuning_again")
    if found is None:
        return
    metrics = view.catalogue["metrics"]
    search = Search(
        found,
        setting_titles(found, view.comparison["spec"], view.catalogue),
        objective_label(found, metrics),
        is_lower_better(found, metrics),
    )
    st.caption(escape_markdown(budget_text(found, metrics)))
    show_problems(found)
    _show_progress(view, found)
    _show_headline(search)
    st.html(tables.arms_html(found, view.styles, viewer_theme()))
    if budget_figure.has_curve(found):
        chart.show_chart(
            budget_figure.budget_figure(found, view.styles, search.label),
            key=f"tuning-budget-{view.id}",
            name=budget_figure.NAME,
            caption=budget_figure.caption(found),
            method=METHOD,
            comparison=view.name,
        )
    _show_best_settings(view, search)
    if any(arm["curve"] for arm in found["arms"]):
        _show_settings(view, search)
    show_trials(view, found, search.titles, search.label)


def _show_headline(search: Search) -> None:
    """Say how far apart the arms are, and beside it what one setting alone moves."""
    best = moves.best_text(search.found, search.label, lower_better=search.lower_better)
    moved = moves.moved_text(search.found, search.titles, search.label)
    said = f"<p class='lb-sum'>{escape(best)}</p>" if best else ""
    said += f"<p class='lb-rule'>{escape(moved)}</p>" if moved else ""
    if said:
        st.html(f"<div class='lb-verdict'>{said}</div>")


def _show_progress(view: View, found: Tuning) -> None:
    """Say how far the search is while it goes on, with a button that makes it longer."""
    if found["phase"] != "search":
        return
    if not view.is_open:
        said = f"The search was stopped after {trials_text(found)}. Retry above goes on with it."
    elif any(arm["curve"] for arm in found["arms"]):
        said = f"{trials_text(found)} are done; these results may still change."
    else:
        said = (
            f"{trials_text(found)} are done. Values appear once a trial is complete; "
            "this part updates automatically."
        )
    st.info(said, icon=":material/hourglass_empty:")
    _more_trials(view)


def _more_trials(view: View) -> None:
    """Draw the button that gives every arm more trials; it asks first, as it starts many runs."""
    refusal = role_refusal("editor")
    with st.popover(
        "More trials",
        icon=":material/add:",
        disabled=refusal is not None,
        help=refusal or "For every arm, until its final runs begin.",
        key="tuning_more",
    ):
        trials = st.number_input(
            "More trials for every arm", 1, MOST_TRIALS, SUGGESTED_TRIALS, key="tuning_more_count"
        )
        st.caption("They are drawn from the same spaces. The final runs wait for them.")
        if role_button(
            "editor",
            "Queue them",
            type="primary",
            icon=":material/play_arrow:",
            key="tuning_more_add",
        ):
            try:
                view.client.add_trials(view.id, int(trials))
            except ApiError as error:
                st.error(escape_markdown(error.message))
                return
            st.rerun()


def lacks_final_runs(comparison: ComparisonDetail) -> bool:
    """Return whether an arm of a comparison whose search is over has no final runs."""
    wanted = len(comparison["arms"]) * len(comparison["seeds"])
    return comparison["phase"] == "final" and sum(own_runs(comparison).values()) < wanted


def show_problems(found: Tuning) -> None:
    """Say why the search stands still, and of each arm that gets no final runs why."""
    if found["problem"]:
        said = f"The search has stopped: {escape_markdown(found['problem'])}"
        st.error(said, icon=":material/error:")
    for arm in found["arms"]:
        if arm["problem"]:
            name, why = escape_markdown(arm["name"]), escape_markdown(arm["problem"])
            st.error(f"**{name}**: {why}", icon=":material/error:")


def _show_best_settings(view: View, search: Search) -> None:
    st.header("Best settings", anchor="best-settings")
    found = search.found
    st.html(tables.settings_html(found, view.styles, viewer_theme(), search.titles))
    if any(arm["best"] is not None for arm in found["arms"]):
        st.page_link(
            "app_pages/new_comparison.py",
            label="New comparison with these settings",
            icon=":material/content_copy:",
            query_params={"from": view.id, "settings": "best"},
        )


def _show_settings(view: View, search: Search) -> None:
    """Draw what a chosen setting does, and which settings matter."""
    st.header("Effect of the settings", anchor="settings")
    paths = list(search.titles)
    path = (
        st.pills(
            "Setting",
            paths,
            default=paths[0],
            format_func=search.titles.__getitem__,
            required=True,
            key=f"tuning_setting_{view.id}",
        )
        or paths[0]
    )
    try:
        along = view.client.sensitivity(view.id, path)
    except ApiError as error:
        st.caption(f"This part cannot be read now: {error.message}")
        return
    chart.show_chart(
        sensitivity_figure.sensitivity_figure(
            along,
            search.found,
            view.styles,
            title=search.titles[path],
            label=search.label,
            lower_better=search.lower_better,
        ),
        key=f"tuning-setting-{view.id}-{path}",
        name=f"{search.label} by {search.titles[path].lower()}",
        caption=sensitivity_figure.caption(along),
        method=METHOD,
        comparison=view.name,
    )
    if importance_figure.has_importance(search.found):
        chart.show_chart(
            importance_figure.importance_figure(search.found, view.styles, search.titles),
            key=f"tuning-importance-{view.id}",
            name=importance_figure.NAME,
            caption=importance_figure.CAPTION,
            method=METHOD,
            comparison=view.name,
        )
    _show_parallel(view, search)


def _show_parallel(view: View, search: Search) -> None:
    arms = {
        arm["name"]: arm for arm in search.found["arms"] if len(parallel_figure.drawable(arm)) > 1
    }
    if not arms:
        return
    names = list(arms)
    name = names[0]
    if len(names) > 1:
        chosen = st.pills(
            "Arm whose trials are shown",
            names,
            default=names[0],
            required=True,
            key=f"tuning_arm_{view.id}",
        )
        name = chosen or names[0]
    chart.show_chart(
        parallel_figure.parallel_figure(
            arms[name],
            search.titles,
            view.styles[name],
            label=search.label,
            lower_better=search.lower_better,
        ),
        key=f"tuning-parallel-{view.id}-{names.index(name)}",
        name=f"{parallel_figure.NAME}: {name}",
        caption=parallel_figure.CAPTION,
        method=METHOD,
        comparison=view.name,
    )
