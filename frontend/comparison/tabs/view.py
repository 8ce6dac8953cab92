"""What every tab gets: the comparison as it is now, and the choice of one of its snapshots."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import streamlit as st

from frontend.api.client import Api
from frontend.api.types import ComparisonDetail, Space
from frontend.comparison.spec_text import data_shape
from frontend.errors import ApiError
from frontend.ui.text import OPEN_STATES, escape_markdown
from frontend.ui.theme import ArmStyle, arm_styles
from frontend.ui.widgets import first_read_spinner

T = TypeVar("T")

SCORED: Final = "scored_pairs"
"""Shape of tuples that have scores and no positives."""
AFTER_SEARCH: Final = (
    "The final runs are shown here; they follow the search. The tab Tuning has every trial, with "
    "the live curves of its runs."
)


@dataclass(frozen=True)
class View:
    """One comparison as it is now, with the session's client and the catalogue."""

    client: Api
    comparison: ComparisonDetail
    catalogue: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Id of the comparison."""
        return str(self.comparison["id"])

    @property
    def name(self) -> str:
        """Name of the comparison."""
        return str(self.comparison["name"])

    @property
    def arms(self) -> list[str]:
        """Names of the arms in the spec's order."""
        return list(self.comparison["arms"])

    @property
    def styles(self) -> dict[str, ArmStyle]:
        """Styles of the arms by name."""
        return arm_styles(self.arms)

    @property
    def shape(self) -> str | None:
        """Shape of data that come as tuples; None of data with classes."""
        return data_shape(self.comparison["spec"], self.catalogue)

    @property
    def has_classes(self) -> bool:
        """Whether the data have classes; not if they come as tuples."""
        return self.shape is None

    @property
    def objective(self) -> str:
        """Name of the metric of the validation split that decides the best epoch."""
        if self.has_classes:
            return "MAP@R"
        return "Spearman correlation" if self.shape == SCORED else "mean reciprocal rank"

    @property
    def is_searching(self) -> bool:
        """Whether it is tuned and its final runs do not exist yet."""
        return self.comparison["phase"] == "search"

    @property
    def is_open(self) -> bool:
        """Whether a run is queued or running."""
        return self.comparison["state"] in OPEN_STATES


def read_or_say(what: str, read: Callable[[], T], *, key: str) -> T | None:
    """Return what a tab shows; where it cannot be read say so, with a button to try again, and
    return None.

    Args:
        what: a word for it.
        read: asks the API for it.
        key: of the button.
    """
    try:
        with first_read_spinner(what):
            return read()
    except ApiError as error:
        st.error(
            f"The {what} cannot be read now: {escape_markdown(error.message)}",
            icon=":material/error:",
        )
        st.button("Try again", icon=":material/refresh:", key=key)
        return None


def choose_seed(view: View, space: Space, *, key: str) -> int:
    """Let the viewer choose a seed that has a snapshot. Returns the chosen one."""
    seeds = space["seeds"]
    return int(st.selectbox("Seed", seeds, key=f"{key}_{view.id}", width=140) or seeds[0])


def choose_epoch(view: View, epochs: Sequence[int], *, key: str) -> int:
    """Let the viewer choose an epoch. Returns the chosen one, at first the last."""
    if len(epochs) == 1:
        return epochs[0]
    chosen = st.select_slider(
        "Epoch", list(epochs), value=epochs[-1], key=f"{key}_{view.id}", width=320
    )
    return int(chosen)


def snapshot_epochs(space: Space, seed: int) -> list[int]:
    """Return the epochs at which any arm has a snapshot of this seed, rising."""
    return sorted(
        {epoch for run in space["runs"] if run["seed"] == seed for epoch in run["epochs"]}
    )


def show_no_snapshot(view: View) -> None:
    """Say why there is no snapshot, and how to get one."""
    if view.is_searching:
        st.info(AFTER_SEARCH, icon=":material/tune:")
    elif view.is_open:
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
    """Return the name of a class; its number if it has no name."""
    names = samples["classes"]
    return str(names[label]) if label < len(names) else str(label)
