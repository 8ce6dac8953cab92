"""The section that tells the arms apart class by class, of one snapshot.

Paired bars: one group a class, one bar an arm; pure functions.

Which snapshot a tab's pictures are of, and what stands there while there is none.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from frontend.api.types import Space
from frontend.charts import chart, figures
from frontend.comparison.tabs.view import View
from frontend.live.component import Tab
from frontend.ui.theme import ArmStyle

MOST: Final = 30
"""Classes that bars can be told apart of; of more, those in which the arms differ most."""
PATTERNS: Final = ("", "/", ".", "x", "-", "+", "|")
"""The second sign of an arm, beside its colour."""

Facts = Sequence[Mapping[str, Any]]


def values(arms: Facts, field: str) -> dict[str, dict[int, float]]:
    """By arm, then by class, what `field` of its class facts says; None is left out."""
    return {
        arm["arm"]: {row["label"]: row[field] for row in arm["classes"] if row[field] is not None}
        for arm in arms
    }


def shown(found: Mapping[str, Mapping[int, float]], most: int = MOST) -> list[int]:
    """The classes to draw, in their order: all, or the `most` in which the arms differ most."""
    labels = sorted({label for own in found.values() for label in own})
    if len(labels) <= most:
        return labels

    def spread(label: int) -> float:
        own = [by_class[label] for by_class in found.values() if label in by_class]
        return max(own) - min(own)

    return sorted(sorted(labels, key=spread, reverse=True)[:most])


def bars(
    found: Mapping[str, Mapping[int, float]],
    styles: Mapping[str, ArmStyle],
    name_of: Callable[[int], str],
    *,
    y: str,
) -> go.Figure:
    """The figure of what `values` found."""
    labels = shown(found)
    order = list(styles)
    figure = go.Figure(
        [
            go.Bar(
                x=[name_of(label) for label in labels],
                y=[own.get(label) for label in labels],
                name=figures.plain(arm),
                marker={
                    "color": styles[arm].light,
                    "pattern": {"shape": PATTERNS[order.index(arm) % len(PATTERNS)]},
                },
                hovertemplate=f"%{{y:.4~g}}<extra>{figures.plain(arm)}</extra>",
            )
            for arm, own in found.items()
        ]
    )
    figure.update_layout(barmode="group", bargap=0.25, height=320)
    figure.update_xaxes(type="category")
    return figures.layout(figure, x="class", y=y)


def seed_of(view: View, space: Space, *, key: str) -> int:
    """The chosen seed, of those that have a snapshot."""
    seeds = space["seeds"]
    return int(st.selectbox("Seed", seeds, key=f"{key}_{view.id}", width=140) or seeds[0])


def epoch_of(view: View, epochs: Sequence[int], *, key: str) -> int:
    """The chosen epoch; the last unless another is."""
    if len(epochs) == 1:
        return epochs[0]
    chosen = st.select_slider(
        "Epoch", list(epochs), value=epochs[-1], key=f"{key}_{view.id}", width=320
    )
    return int(chosen)


def epochs_of(space: Space, seed: int) -> list[int]:
    """Epochs that any arm has a snapshot of at this seed, rising."""
    return sorted(
        {epoch for run in space["runs"] if run["seed"] == seed for epoch in run["epochs"]}
    )


def nothing_yet(view: View) -> None:
    """Say why there are no pictures of the space, and what would bring them."""
    if view.is_open:
        st.info(
            "The first snapshot of the held-out samples comes before the first step; this part "
            "fills in by itself.",
            icon=":material/hourglass_empty:",
        )
    else:
        st.info(
            "No run of this comparison kept a snapshot: it was made by an earlier version, or its "
            "runs ended before they began. Retry its runs, or duplicate it.",
            icon=":material/image_not_supported:",
        )


def class_name(samples: Mapping[str, Any], label: int) -> str:
    """A class's name; its number where it has none."""
    names = samples["classes"]
    return str(names[label]) if label < len(names) else str(label)


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
    chart.show(
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
