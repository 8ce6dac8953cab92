"""The section that tells the arms apart class by class, of one snapshot."""

import streamlit as st

from frontend.charts import chart as charts
from frontend.comparison.tabs.class_bars import bars, values
from frontend.comparison.tabs.snapshots import class_name, epoch_of, epochs_of, nothing_yet, seed_of
from frontend.comparison.tabs.view import View
from frontend.live.component import Tab


def by_class(
    view: View, tab: Tab, field: str, *, name: str, meaning: str, method: str
) -> int | None:
    """Choose a snapshot and draw what it says of every class.

    Args:
        view: the page's.
        tab: where it is drawn.
        field: of a class's facts, variance or accuracy.
        name: the chart's.
        meaning: what its bars are, as the beginning of a sentence.
        method: the section that defines it.

    Returns:
        The chosen seed; None where there is no snapshot, which is said.
    """
    st.subheader("Class by class", anchor="classes")
    space = view.client.space(view.id)
    samples = space["samples"]
    if samples is None:
        nothing_yet(view)
        return None
    with st.container(horizontal=True, gap="medium"):
        seed = seed_of(view, space, key=f"{tab}_seed")
        epoch = epoch_of(view, epochs_of(space, seed), key=f"{tab}_epoch")
    facts = view.client.space_facts(view.id, seed=seed, epoch=epoch)
    charts.show(
        bars(
            values(facts["arms"], field),
            view.styles,
            lambda label: class_name(samples, label),
            y=field,
        ),
        key=f"{field}-{view.id}",
        name=name,
        caption=f"{meaning}; {samples['n']:,} of {samples['total']:,} validation samples, seed "
        f"{seed}, epoch {epoch}.",
        method=method,
    )
    return seed
