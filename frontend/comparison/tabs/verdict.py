"""The tab Verdict: the nine claims, judged by two of the arms, or why there is nothing to judge."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import streamlit as st

from frontend.api.types import Pair
from frontend.comparison.tabs.view import View, read_or_say
from frontend.comparison.tuning.moves import moved_text
from frontend.comparison.tuning.texts import objective_label, own_runs, setting_titles
from frontend.comparison.verdict.figures import count_text, noun
from frontend.comparison.verdict.more_replicates import (
    MAX_SEEDS,
    MoreSeeds,
    halving_text,
    seeds_to_add,
)
from frontend.comparison.verdict.overview import (
    STYLE_FILE,
    claims_html,
    head_html,
)
from frontend.comparison.verdict.picture import mount_forest
from frontend.errors import ApiError
from frontend.ui.seeds import format_seeds
from frontend.ui.session import role_refusal
from frontend.ui.text import escape_markdown
from frontend.ui.widgets import viewer_theme

ARM_KEYS: Final = ("a", "b")
"""Query parameters of the address that name the two arms."""
EDITOR: Final = "editor"
"""The role that may add seeds."""


def show_verdict(view: View) -> None:
    """Draw the verdict on the two chosen arms, or say why there is none."""
    arms = view.arms
    st.html(STYLE_FILE)
    if len(arms) < 2:
        st.info(
            "A verdict needs two arms, and this comparison has one. Duplicate it and add another "
            "loss.",
            icon=":material/balance:",
        )
        return
    asked = _arms_in_address(arms)
    found = read_or_say(
        "verdict", lambda: view.client.verdict(view.id, **asked), key="verdict_again"
    )
    if found is None:
        return
    if view.has_classes and (len(arms) > 2 or found["arms"] is None):
        _choose_arms(arms, found["arms"], asked)
    if found["arms"] is None:
        st.info(escape_markdown(found["summary"]), icon=":material/balance:")
        return
    if view.is_searching:
        st.info(found["summary"], icon=":material/tune:")
        return
    if not found["seeds"]:
        _show_nothing_finished(view)
        return
    if view.is_open:
        st.info(_unfinished_text(view), icon=":material/hourglass_empty:")
    st.html(head_html(found))
    _show_moved(view)
    _show_halving(view, found)
    mount_forest(found, view.styles, view.name)
    st.html(claims_html(found, view.styles, viewer_theme()))


def _show_moved(view: View) -> None:
    """Say beside the headline what one setting of a loss alone moves, where the arms were tuned."""
    if view.comparison["phase"] is None:
        return
    try:
        search = view.client.tuning(view.id)
    except ApiError as error:
        st.caption(f"The search cannot be read now: {escape_markdown(error.message)}")
        return
    titles = setting_titles(search, view.comparison["spec"], view.catalogue)
    label = objective_label(search, view.catalogue["metrics"])
    if said := moved_text(search, titles, label):
        st.html(f"<div class='lb-verdict'><p class='lb-rule'>{escape(said)}</p></div>")


def _show_nothing_finished(view: View) -> None:
    """Say why nothing can be judged before a seed has finished in both arms, and what to do."""
    runs = own_runs(view.comparison)
    if view.is_open:
        st.info(
            "The verdict appears once a seed has finished in both arms. Each further seed makes it "
            "more certain.",
            icon=":material/hourglass_empty:",
        )
        return
    lost = [f"{runs[state]} {state}" for state in ("failed", "cancelled") if runs[state]]
    why = f" Of {sum(runs.values())} runs {' and '.join(lost)}." if lost else ""
    st.info(
        f"No seed has finished in both arms, so there is no verdict.{why} Set-up & logs has "
        "the reasons; Retry above starts these runs again.",
        icon=":material/balance:",
    )


def _unfinished_text(view: View) -> str:
    runs = own_runs(view.comparison)
    left = runs["queued"] + runs["running"]
    return (
        f"{left} of {count_text(sum(runs.values()), 'run')} {'is' if left == 1 else 'are'} not "
        "finished: this verdict may still change."
    )


def _show_halving(view: View, found: Mapping[str, Any]) -> None:
    """Say how many more seeds would halve the intervals, with a button that adds them.

    Not before all runs have ended: seeds that are under way would be counted twice.
    """
    said = halving_text(found)
    if view.is_open or not said:
        return
    more = seeds_to_add(found, view.comparison["seeds"], len(view.arms))
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.markdown(escape_markdown(said), width="content")
        if more is not None and role_refusal(EDITOR) is None:
            _add_button(view, more, noun(found))


def _add_button(view: View, more: MoreSeeds, kind: str) -> None:
    """Draw the button that adds seeds after a question, as it starts many runs."""
    count = count_text(len(more.seeds), kind)
    with st.popover(f"Add {count}", icon=":material/repeat_on:", key="verdict_more"):
        arms = count_text(len(view.arms), "arm")
        st.markdown(
            f"**{count_text(more.runs, 'run')}** join the queue: {count} in {arms}, "
            f"seeds {format_seeds(more.seeds)}."
        )
        if more.is_capped:
            st.caption(
                f"{more.wanted:,} would be needed; a comparison holds {MAX_SEEDS} at most, so "
                "these narrow the intervals by less than half."
            )
        if st.button(
            "Queue them", type="primary", icon=":material/play_arrow:", key="verdict_more_add"
        ):
            try:
                view.client.add_seeds(view.id, list(more.seeds))
            except ApiError as error:
                st.error(escape_markdown(error.message))
                return
            st.rerun()


def _arms_in_address(arms: Sequence[str]) -> dict[str, str]:
    """Return the two arms in the address; none unless it names two different arms."""
    named = {key: st.query_params.get(key, "") for key in ARM_KEYS}
    valid = set(named.values()) <= set(arms) and named["a"] != named["b"]
    return named if valid else {}


def _choose_arms(arms: Sequence[str], judged: Pair | None, asked: Mapping[str, str]) -> None:
    """Let the viewer choose the two arms that are judged, and keep them in the address."""
    columns = st.columns([1, 1, 2], vertical_alignment="bottom")
    labels = {"a": "Arm in the contrastive role", "b": "Arm in the triplet role"}
    shown = {"a": judged["a"], "b": judged["b"]} if judged else asked
    picked = {}
    for key, column in zip(ARM_KEYS, columns, strict=False):
        arm = column.selectbox(
            labels[key],
            arms,
            index=arms.index(shown[key]) if shown else None,
            placeholder="Choose an arm",
            key=f"verdict_{key}",
        )
        if arm is not None:
            picked[key] = arm
    if len(picked) < len(ARM_KEYS) or picked == shown:  # nothing has changed
        return
    if picked["a"] == picked["b"]:
        columns[2].caption("Choose two different arms.")
        return
    st.query_params.update({**picked, "tab": "verdict"})
    st.rerun()
