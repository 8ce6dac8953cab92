"""The search of each arm as rows of texts, for exports."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from frontend.api.types import Tuning
from frontend.comparison.tuning.texts import (
    OVER,
    Catalogue,
    budget_text,
    counted,
    number_or_dash,
    objective_label,
    setting_titles,
    space_text,
    trial_at,
    value_text,
)

HEADS: Final = ("arm", "trials", "failed", "best on validation", "as written", "within 1 %")


class SearchTable(NamedTuple):
    """A search in words."""

    said: str
    """How the arms were searched."""
    label: str
    """Of the objective."""
    arms: list[list[str]]
    """A row for each arm, with the columns of HEADS."""
    names: list[str]
    """Of the arms."""
    settings: list[list[str]]
    """A row for each searched setting: its title, and of each arm the best value with the space."""
    problems: list[str]
    """Of each arm that has no final runs its name and why."""


def search_table(found: Tuning, spec: Mapping[str, Any], catalogue: Catalogue) -> SearchTable:
    """Return a search in words.

    Args:
        found: the search.
        spec: of the comparison.
        catalogue: the API's catalogue.
    """
    metrics: Sequence[Mapping[str, Any]] = catalogue["metrics"]
    arms, settings = [], []
    for arm in found["arms"]:
        best, written = (trial_at(arm, arm[one]) for one in ("best", "default"))
        near = "–" if arm["near_best"] is None else f"{100 * arm['near_best']:.0f} %"
        values = [None if one is None else one["value"] for one in (best, written)]
        counts = [str(counted(arm, *OVER)), str(counted(arm, "failed"))]
        arms.append([arm["name"], *counts, *map(number_or_dash, values), near])
    for path, title in setting_titles(found, spec, catalogue).items():
        cells = []
        for arm in found["arms"]:
            best = trial_at(arm, arm["best"])
            if path not in arm["space"] or best is None:
                cells.append("–")
                continue
            value = value_text(best["params"][path]) if path in best["params"] else "as written"
            cells.append(f"{value} of {space_text(arm['space'][path])}")
        settings.append([title, *cells])
    return SearchTable(
        budget_text(found, metrics),
        objective_label(found, metrics),
        arms,
        [arm["name"] for arm in found["arms"]],
        settings,
        [f"{arm['name']}: {arm['problem']}" for arm in found["arms"] if arm["problem"]],
    )
