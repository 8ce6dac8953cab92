"""The sections of the form for what the runs of an arm replicate, and for how large a difference
must be to matter."""

from typing import Final

import streamlit as st

from frontend.form.draft import Draft
from frontend.form.from_spec import REPLICATES
from frontend.form.practical import BoundsError, parse_bounds
from frontend.form.schema_fields import BOUND_PATH, BOUNDS
from frontend.form.widgets import show_problem, show_problems, text_field
from frontend.ui.seeds import SeedsError, parse_seeds

FEWEST: Final = 3
"""With fewer seeds there is no verdict."""
ENOUGH: Final = 9
"""With fewer seeds p after Holm's correction for nine claims cannot fall below 0.05."""
_SEED: Final = "seed"
_DEPENDENT: Final = "dependent_splits"
_TITLES: Final = {_SEED: "The seed, on one split", "split": "Seed and data"}
"""The same for all data: a choice keeps its value by its title while the data change."""
_ONE_SPLIT: Final = (
    "Each seed trains every arm once, from its own initial weights and in its own order of "
    "batches, on one split of the data: what is found holds for this split."
)
_DRAWN: Final = {
    "independent_draws": "Each seed also draws new data, so that what is found holds for such data "
    "at large.",
    _DEPENDENT: "Each seed also makes a new split of the data, for all arms alike; with a split by "
    "class it draws which classes train. Splits of the same data overlap, so that intervals are "
    "wider.",
    "fixed_test": "Each seed also draws new training and validation items from the official "
    "training part; the official test part stays the same.",
}
"""What a seed draws anew, by the kind of replication that the data allow."""
GIVEN: Final = (
    "These data keep the split of their own folders, so that only the seed can vary; split them by "
    "class or by item to vary the split."
)


def seeds(draft: Draft) -> list[int]:
    """Draw the fields for seeds and for what varies between them. Returns the seeds; none while the
    text cannot be parsed."""
    text_field(
        draft,
        "seeds",
        "Seeds",
        hint="0-9",
        note="Ranges and single seeds: 0-9 or 0, 1, 7. A verdict needs three.",
    )
    try:
        found = parse_seeds(draft.values["seeds"])
    except SeedsError as error:
        found = []
        if not draft.problems_at("seeds"):  # a refused start has already shown it there
            show_problem("seeds", str(error))
    _replicate(draft)
    exact = _replication(draft, draft.values["replicate"]) in {_SEED, "independent_draws"}
    if found and (text := count_text(len(found), exact=exact)):
        st.caption(text)
    return found


def _replicate(draft: Draft) -> None:
    key = draft.bind("replicate", "What varies", REPLICATES[0])
    draft.values["replicate"] = st.selectbox(
        "What varies",
        REPLICATES,
        format_func=lambda one: _TITLES[one],
        key=key,
        on_change=draft.changed,
        args=("replicate",),
    )
    show_problems(draft, "replicate")
    st.caption(replicate_text(draft))


def _replication(draft: Draft, replicate: str) -> str:
    """Return the kind of replication that a choice means with the chosen data."""
    if replicate == _SEED:
        return _SEED
    return draft.form.data.option(draft.values.get("data.kind")).replication or _DEPENDENT


def replicate_text(draft: Draft) -> str:
    """Say what each seed draws anew from the chosen data."""
    if draft.values["replicate"] == _SEED:
        return _ONE_SPLIT
    data = draft.form.data.option(draft.values.get("data.kind"))
    if draft.values.get("data.split") == "given" and any(i.name == "split" for i in data.items):
        return GIVEN
    return _DRAWN[_replication(draft, draft.values["replicate"])]


def count_text(count: int, *, exact: bool) -> str:
    """Say what so few seeds cannot decide; nothing, if they are enough.

    Args:
        count: number of seeds.
        exact: whether p comes from the exact sign-flip test, which takes independent replicates.
    """
    if count < FEWEST:
        return (
            ":material/warning: A verdict needs three seeds; with fewer, curves and values are "
            "shown and nothing is decided."
        )
    if exact and count < ENOUGH:
        return (
            f"With {count} seeds the sign-flip p, adjusted for nine claims, cannot fall below "
            "0.05; that takes nine."
        )
    return ""


def bounds(draft: Draft) -> None:
    """Draw the fields for the differences that do not matter."""
    given = any(
        value not in (None, "") for path, value in draft.values.items() if path.startswith(BOUNDS)
    )
    with st.expander("Practical difference", expanded=given):
        st.caption(
            "Two arms count as level where the whole interval of their difference lies within "
            "these bounds. An empty field has the default. Norms and variances are compared by "
            f"their ratio: 1 / {draft.form.ratio_bound:g} to {draft.form.ratio_bound:g}."
        )
        for place, bound in zip(st.columns(len(draft.form.bounds)), draft.form.bounds, strict=True):
            with place:
                _bound(draft, f"{BOUND_PATH}{bound.key}", bound.label, bound.half_width)
        _other_bounds(draft)


def _bound(draft: Draft, path: str, label: str, default: float) -> None:
    key = draft.bind(path, label)
    draft.values[path] = st.number_input(
        f"{label} ±",
        value=None,
        placeholder=f"{default:g}",
        step=0.001,
        format="%g",
        key=key,
        help="0.01 is one per cent.",
        on_change=draft.changed,
        args=(path,),
    )
    show_problems(draft, path)


def _other_bounds(draft: Draft) -> None:
    key = draft.bind(BOUNDS, "Other bounds", "")
    draft.values[BOUNDS] = st.text_area(
        "Other bounds",
        key=key,
        height=68,
        placeholder="retrieval.map_at_r = 0.005\ngeometry.intra_class_variance = 1.1",
        help="One a line: a metric's key, or its beginning, and the bound. The longest key that "
        "fits a metric holds. The Method page lists all keys.",
        on_change=draft.changed,
        args=(BOUNDS,),
    )
    show_problems(draft, BOUNDS)
    try:
        parse_bounds(draft.values[BOUNDS])
    except BoundsError as error:
        if not draft.problems_at(BOUNDS):  # a refused start has already shown it there
            show_problem(BOUNDS, str(error))
